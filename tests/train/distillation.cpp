#include "gradus/train/distillation.h"

#include <cmath>

#include "gradus/io/safetensors.h"
#include "tests/train/small_runs.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// A teacher of the story world: wider than the student by `factor`.
std::filesystem::path make_teacher(const Scratch& scratch, int64_t factor) {
  const auto folder = scratch / ("teacher" + std::to_string(factor));
  PretrainOptions o = small_pretraining(scratch, ("teacher" + std::to_string(factor)).c_str());
  BertConfig config = story_config(CorpusFile::open(o.data).vocabulary().size());
  config.hidden_size *= factor, config.num_hidden_layers = 3;
  write_file(scratch / "teacher.json", config.to_json());
  o.model = (scratch / "teacher.json").string();
  o.max_steps = 20;
  pretrain(o);
  return folder;
}

struct Held {  // one batch and what a loss says of it
  BertForPreTraining model;
  PretrainingTargets targets;
  BertInput input;
  Tensors hidden_states;
  int64_t tokens;
  Held(const std::filesystem::path& folder, const CorpusFile& corpus)
      : model(load_config(folder)), input(make_input(corpus)), tokens(input.ids.numel()) {
    load_parameters(folder, parameters(model));
    model.bert(input, &hidden_states);
  }
  BertInput make_input(const CorpusFile& corpus) {
    TokenBatch batch;
    std::vector<int32_t> ids{corpus.vocabulary().cls()};
    corpus.sentence(0).append_to(ids);
    ids.push_back(corpus.vocabulary().sep());
    batch.add(ids);
    batch.add(ids);
    targets.rows = {1, 2, static_cast<int32_t>(ids.size()) + 1};
    targets.labels = {7, 8, 9};
    targets.masked_denominator = 3;
    return BertInput(model.bert.config, batch);
  }
};

}  // namespace

TEST_CASE("a teacher has nothing to say to itself") {
  const Scratch scratch;
  const auto folder = make_teacher(scratch, 1);
  const CorpusFile corpus = CorpusFile::open(world().corpus);
  Held held(folder, corpus);
  const MaskedLMTeacher teacher({.teacher = folder, .weight = 3, .hidden = 2}, corpus.tokenizer(),
                                held.model.bert.config, 1);
  CHECK(teacher.compares_states());
  Means means;
  const Tensor loss = teacher.loss(held.model, held.input, held.hidden_states, held.targets,
                                   static_cast<double>(held.tokens), means);
  CHECK(std::abs(loss.item()) < 1e-5);
}

TEST_CASE("what a teacher says, by its formulas") {
  const Scratch scratch;
  const auto folder = make_teacher(scratch, 1);
  const CorpusFile corpus = CorpusFile::open(world().corpus);
  Held student(folder, corpus), own(folder, corpus);
  initialize_bert(parameters(student.model), student.model.bert.config,
                  BertInitialization::hugging_face, 5);
  student.hidden_states.clear();
  const detail::Switch<&Modes::training> not_training(false);
  student.model.bert(student.input, &student.hidden_states);
  const double t = 1.5;
  const auto loss = [&](double weight, double hidden) {
    const MaskedLMTeacher teacher(
        {.teacher = folder, .weight = weight, .hidden = hidden, .temperature = t},
        corpus.tokenizer(), own.model.bert.config, 1);
    Means means;
    return teacher
        .loss(student.model, student.input, student.hidden_states, student.targets,
              static_cast<double>(student.tokens), means)
        .item();
  };
  const NoGrad no_grad;
  const Tensor p = softmax(own.model.masked_logits(own.input, own.targets.rows) * (1 / t)),
               q = softmax(student.model.masked_logits(student.input, student.targets.rows) *
                           (1 / t));
  const auto ps = p.to_vector<double>(), qs = q.to_vector<double>();
  double divergence = 0;
  for (size_t i = 0; i < ps.size(); ++i) divergence += ps[i] * std::log(ps[i] / qs[i]);
  CHECK(loss(2, 0) == doctest::Approx(2 * t * t * divergence / 3).epsilon(1e-4));

  double states = 0;
  Tensors own_states;
  own.model.bert(own.input, &own_states);
  REQUIRE(own_states.size() == 4);
  for (size_t layer = 0; layer < 4; ++layer) {
    const auto a = own_states[layer].to_vector<double>(),
               b = student.hidden_states[layer].to_vector<double>();
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    states += sum / static_cast<double>(a.size()) / 4;
  }
  CHECK(loss(0, 3) == doctest::Approx(3 * states).epsilon(1e-4));
}

TEST_CASE("a distilled run: below its own, and the same when it is stopped and goes on") {
  const Scratch scratch;
  const auto folder = make_teacher(scratch, 2);
  PretrainOptions o = small_pretraining(scratch, "run");
  o.max_steps = 12;
  o.distillation = {.teacher = folder, .weight = 1, .hidden = 1};
  o.save_steps = 5;
  pretrain(o);
  const SafetensorsFile whole(o.out / "model.safetensors");
  for (const auto& [name, tensor] : whole.entries()) CHECK(name.find("distillation") == name.npos);
  const std::string bytes = read_file(o.out / "model.safetensors");

  PretrainOptions part = o;
  part.out = scratch / "again";
  part.resume = true;
  part.resume_from = o.out / "checkpoint-5";
  pretrain(part);
  CHECK((read_file(part.out / "model.safetensors") == bytes));

  // a run that says first what it will take, the teacher's part included, is the same run
  PretrainOptions estimated = o;
  estimated.out = scratch / "estimated";
  estimated.estimate_first = true;
  pretrain(estimated);
  CHECK((read_file(estimated.out / "model.safetensors") == bytes));
  PretrainOptions alone = o;
  alone.distillation = {};
  CHECK(estimate(o).memory.gradients > estimate(alone).memory.gradients);  // of the map

  // another teacher is another run
  part.out = scratch / "third";
  part.distillation.weight = 2;
  CHECK_MENTIONS(error_of([&] { pretrain(part); }), "teacher_weight");
}

TEST_CASE("a task's teacher: the same head, labels and vocabulary, or an error") {
  const Scratch scratch;
  FinetuneOptions o = small_finetuning(scratch);
  o.epochs = 3;
  o.out = scratch / "teacher";
  finetune(o);
  FinetuneOptions student = small_finetuning(scratch);
  student.epochs = 2;
  student.random_init = true;
  student.distillation = {.teacher = scratch / "teacher", .weight = 1, .hidden = 0.5};
  const FinetuneResult taught = finetune(student);
  CHECK(taught.steps > 0);
  CHECK_MENTIONS(read_file(student.out / "metrics.jsonl"), "teacher_difference");

  student.distillation.teacher = scratch / "base";
  CHECK_MENTIONS(error_of([&] { finetune(student); }), "base");
  student.distillation.teacher = scratch / "none";
  CHECK_MENTIONS(error_of([&] { finetune(student); }), "none");
  student.distillation = {.teacher = scratch / "teacher", .weight = -1};
  CHECK_MENTIONS(error_of([&] { finetune(student); }), "options.teacher_weight");
  // a teacher that reads by another vocabulary
  PretrainOptions p = small_pretraining(scratch, "other");
  p.distillation.teacher = scratch / "base";
  CHECK_MENTIONS(error_of([&] { pretrain(p); }), "options.teacher", "vocabulary");
}
