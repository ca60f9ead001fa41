// Fine-tuning from end to end on a small model and texts whose label is a word: learning, files,
// adapters, freezing, what is refused.
#include "gradus/train/finetune.h"

#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "gradus/nn/lora.h"
#include "gradus/train/finetuned_model.h"
#include "tests/train/small_runs.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {

std::vector<float> values(BertForTask& model) {
  std::vector<float> all;
  for (const Parameter& p : parameters(model))
    for (const float x : p.view().to_vector<float>()) all.push_back(x);
  return all;
}

}  // namespace

TEST_CASE("a text classifier learns, is saved at its best, and predicts by name") {
  const Scratch scratch;
  const FinetuneOptions o = small_finetuning(scratch);
  const FinetuneResult result = finetune(o);
  CHECK(result.evaluation.metrics.front().first == "accuracy");
  CHECK(result.score() == 1);
  CHECK(result.evaluation.constant < 0.8);
  for (const char* file :
       {"config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json",
        "run.json", "metrics.jsonl", "eval_results.json", "trainer_state.json", "README.md"})
    CHECK_MESSAGE(fs::exists(o.out / file), std::string(file));
  CHECK_MENTIONS(read_file(o.out / "README.md"), "| accuracy | 1.0000 |");
  CHECK_MENTIONS(read_file(o.out / "eval_results.json"), "\"eval_accuracy\": 1.0");
  std::vector<std::string> events;
  for (const auto& entry : fs::directory_iterator(o.out))
    if (entry.path().filename().string().starts_with("events.out.tfevents"))
      events.push_back(read_file(entry.path()));
  REQUIRE(events.size() == 1);
  for (const char* tag : {"train/loss", "train/learning_rate", "eval/accuracy", "eval/loss"})
    CHECK_MENTIONS(events[0], tag);

  const FinetunedModel tuned(o.out);
  CHECK(tuned.task.kind == "classify");
  CHECK(tuned.task.labels == std::vector<std::string>{"no", "yes"});
  TaskOptions reading = tuned.task;
  const auto task = Task::make(reading, tuned.tokenizer, tuned.config);
  write_file(scratch / "new.tsv", "sentence\nthe b the b .\nthe b a .\n");
  const auto set = task->read(scratch / "new.tsv", TaskUse::prediction);
  std::ostringstream lines;
  set->write_predictions(run_task(tuned.model, *set), lines, 0);
  std::istringstream in(lines.str());
  for (const char* label : {"no", "yes"}) {
    std::string line;
    std::getline(in, line);
    const auto json = nlohmann::json::parse(line);
    CHECK(json.at("label") == label);
    CHECK(json.at("probabilities").at("yes").get<double>() +
              json.at("probabilities").at("no").get<double>() ==
          doctest::Approx(1));
  }
}

TEST_CASE("a run is a function of its seed; a batch in parts is the batch") {
  const Scratch scratch;
  FinetuneOptions o = small_finetuning(scratch);
  o.epochs = 1, o.dropout = 0.1;
  finetune(o);
  FinetunedModel first(o.out);
  finetune(o);
  FinetunedModel second(o.out);
  CHECK(values(first.model) == values(second.model));
  o.max_tokens = 20;  // two or three texts at once
  finetune(o);
  FinetunedModel parts(o.out);
  const auto a = values(first.model), b = values(parts.model);
  double apart = 0;
  for (size_t i = 0; i < a.size(); ++i)
    apart = std::max(apart, static_cast<double>(std::abs(a[i] - b[i])));
  CHECK(apart < 2e-4);  // one Adam step is 1e-2: dropout drew the same, sums were rounded otherwise
  o.seed = 43;
  finetune(o);
  FinetunedModel other(o.out);
  CHECK(values(other.model) != values(first.model));
}

TEST_CASE("adapters: only they and the head are trained; apart or merged they answer the same") {
  const Scratch scratch;
  FinetuneOptions o = small_finetuning(scratch);
  o.lora_rank = 4, o.epochs = 40;
  const FinetuneResult result = finetune(o);
  CHECK(result.score() > result.evaluation.constant);
  CHECK(fs::exists(o.out / "adapter_model.safetensors"));
  CHECK_FALSE(fs::exists(o.out / "model.safetensors"));
  FinetunedModel apart(o.out);
  o.out = scratch / "merged";
  o.merge_lora = true;
  finetune(o);
  FinetunedModel merged(o.out);
  CHECK(values(apart.model) == values(merged.model));
  BertForPreTraining base = small_model(3);
  const auto before = parameters(base), after = parameters(apart.model);
  for (const Parameter& p : after)
    for (const Parameter& q : before)
      if (p.name == q.name && p.name.starts_with("bert.encoder")) {
        const bool adapted = p.name.ends_with("query.weight") || p.name.ends_with("value.weight");
        CHECK_MESSAGE((p.view().to_vector<float>() != q.view().to_vector<float>()) == adapted,
                      p.name);
      }
  const FinetuneOptions asked = o;
  o.merge_lora = false;
  o.reinit_layers = 1;
  CHECK_MENTIONS(error_of([&] { finetune(o); }), "options.reinit_layers");
  o = asked;
  // on a model that is not theirs they are refused
  BertForPreTraining other = small_model(4);
  save_model_folder(scratch / "base", other.bert.config, parameters(other), small_tokenizer());
  CHECK_MENTIONS(error_of([&] { FinetunedModel(scratch / "out"); }),
                 "not the one that the adapters were trained on");
  o.lora_targets = {"*nothing*"};
  CHECK_MENTIONS(error_of([&] { finetune(o); }), "no parameter has a name like *nothing*");
}

TEST_CASE("a ModernBERT is fine-tuned, whole and by adapters, and answers from its folder") {
  const Scratch scratch;
  FinetuneOptions o = small_finetuning(scratch);
  BertConfig config = BertConfig::named("modern-tiny", small_tokenizer().vocabulary().size());
  config.hidden_size = 16, config.intermediate_size = 16;
  BertForMaskedLM pretrained(config);
  initialize_bert(parameters(pretrained), config, BertInitialization::google, 3);
  save_model_folder(scratch / "modern", pretrained.bert.config, parameters(pretrained),
                    small_tokenizer());
  o.model = scratch / "modern";
  o.layer_decay = 0.9;
  for (const int64_t rank : {0, 4}) {
    CAPTURE(rank);
    o.lora_rank = rank, o.epochs = rank ? 40 : 20;
    if (rank) o.layer_decay = 1;
    const FinetuneResult result = finetune(o);
    CHECK(result.score() > result.evaluation.constant);
    FinetunedModel model(o.out);
    CHECK(model.config.architectures[0] == "ModernBertForSequenceClassification");
    const auto task = Task::make(model.task, model.tokenizer, model.config);
    const auto held_out = task->read(o.validation, TaskUse::validation);
    const Evaluation again = held_out->evaluate(run_task(model.model, *held_out, 64));
    CHECK(again.metrics == result.evaluation.metrics);
  }
}

TEST_CASE("adapters have right gradients, of a range of a leaf too") {
  BertConfig config = small_config();
  BertForTask model = clone(BertForTask(BertHead::next_sentence, config), DType::f64);
  initialize_bert(parameters(model), config, BertInitialization::google, 5);
  const LoraAdapters adapters(model,
                              {.rank = 2,
                               .alpha = 3,
                               .targets = {"*key.weight", "*output.dense.weight"},
                               .also_trained = {}},
                              1);
  const BertInput input(config, {{2, 5, 6, 3, 2, 7, 3}, {}, {4, 3}});
  uint64_t stream = 0;
  for (const Parameter& p : adapters.trained()) {
    const NoGrad scope;
    Tensor leaf = p.leaf;
    copy_into(random_normal(leaf.shape(), 2, stream++, DType::f64) * 0.3, leaf, false);
  }
  const auto loss = [&] {
    const LoraAdapters::Attached attached(adapters);
    return weighted_cross_entropy(model(input), {1, 0});
  };
  backward(loss());
  for (const Parameter& p : adapters.trained()) {
    Tensor leaf = p.leaf;
    const Tensor direction = random_normal(leaf.shape(), 9, 0, DType::f64),
                 kept = clone(leaf.detach());
    const auto at = [&](double step) {
      const NoGrad scope;
      copy_into(kept + direction * step, leaf, false);
      const double value = loss().item();
      copy_into(kept, leaf, false);
      return value;
    };
    const double h = 1e-4, numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    CHECK_MESSAGE(sum(leaf.grad() * direction).item() == doctest::Approx(numeric).epsilon(1e-6),
                  p.name);
  }
}

TEST_CASE("frozen, slowed and renewed layers") {
  const Scratch scratch;
  FinetuneOptions o = small_finetuning(scratch);
  o.epochs = 1;
  o.freeze = {"bert.embeddings.*"};
  o.layer_decay = 1e-9;  // so that all but the head stands still
  finetune(o);
  FinetunedModel tuned(o.out);
  BertForPreTraining base = small_model(3);
  const auto before = parameters(base);
  for (const Parameter& p : parameters(tuned.model))
    for (const Parameter& q : before)
      if (p.name == q.name && !p.name.starts_with("bert.pooler"))
        CHECK_MESSAGE(norm(p.view() - q.view()) < 1e-6, p.name);
  o.freeze = {"bert.nothing"};
  CHECK_MENTIONS(error_of([&] { finetune(o); }), "freeze", "matches 'bert.nothing'; there are ");
  o.freeze = {};
  o.reinit_layers = 1;
  finetune(o);
  FinetunedModel renewed(o.out);
  for (const Parameter& p : parameters(renewed.model))
    for (const Parameter& q : before)
      if (p.name == q.name && p.name.ends_with("intermediate.dense.weight"))
        CHECK_MESSAGE(
            (norm(p.view() - q.view()) > 1e-2) == (p.name.find("layer.1.") != std::string::npos),
            p.name);
}

TEST_CASE(
    "a fine-tuned folder goes on with its head where the labels are the same; early stopping "
    "stops") {
  const Scratch scratch;
  FinetuneOptions o = small_finetuning(scratch);
  finetune(o);
  o.model = scratch / "out", o.out = scratch / "second";
  o.epochs = 5, o.learning_rate = 1e-9, o.patience = 2;
  const FinetuneResult again = finetune(o);
  CHECK(again.score() == 1);
  CHECK(again.steps == 3 * 12);  // the first evaluation is the best, then two that are no better
  write_file(scratch / "train.tsv", "sentence\tlabel\na .\tone\nb .\ttwo\nthe .\tthree\n");
  write_file(scratch / "dev.tsv", "sentence\tlabel\na .\tone\n");
  finetune(o);
  CHECK(FinetunedModel(o.out).config.id2label.at(0) == "one");
}

TEST_CASE("what cannot be is refused before anything is written") {
  const Scratch scratch;
  FinetuneOptions good = small_finetuning(scratch), o = good;
  const auto refused = [&](const char* mentions) {
    CHECK_MENTIONS(error_of([&] { finetune(o); }), mentions);
    CHECK_FALSE(fs::exists(scratch / "out"));
    o = good;
  };
  write_file(scratch / "bad.tsv", "sentence\tlabel\na .\tyes\nb .\tperhaps\n");
  o.validation = scratch / "bad.tsv";
  refused("bad.tsv:3: the label 'perhaps' is unknown; the labels are: no, yes");
  o.task.kind = "guess";
  refused("classify, regress");
  o.task.max_seq_length = 17;
  refused("options.max_seq_length 17 is more than the model's 16 positions");
  o.task.class_weights = "maybe=2";
  refused("there is no class 'maybe'");
  o.task.text.label_smoothing = 1;
  refused("options.label_smoothing 1: it must be a number of at least 0 and below 1");
  o.optimizer = "adam";
  refused("adamw");
  o.task.text.label_column = "class";
  refused("class");
  CHECK_MENTIONS(error_of([&] { FinetunedModel model(scratch / "base"); }), "BertForPreTraining");

  // A body that calls itself a classifier: its head was never trained.
  BertForPreTraining body = small_model(3);
  BertConfig config = small_config();
  config.architectures = {"BertForSequenceClassification"};
  save_model_folder(scratch / "untrained", config, parameters(body), small_tokenizer());
  CHECK_MENTIONS(error_of([&] { FinetunedModel model(scratch / "untrained"); }),
                 "classifier.weight");
  CHECK_NOTHROW(FinetunedModel(scratch / "untrained", true));
}

TEST_CASE("a model that is worse than the one that it would replace is kept apart, unless asked") {
  const Scratch scratch;
  FinetuneOptions good = small_finetuning(scratch);
  const double best = finetune(good).score();
  CHECK(best == 1);
  const std::string model = read_file(good.out / "model.safetensors"),
                    results = read_file(good.out / "eval_results.json");

  FinetuneOptions bad = good;
  bad.epochs = 1, bad.learning_rate = 1e-6, bad.seed = 5;
  const FinetuneResult worse = finetune(bad);
  CHECK(worse.score() < best);
  CHECK(worse.not_better == bad.out / "not-better");
  CHECK(read_file(bad.out / "model.safetensors") == model);
  CHECK(read_file(bad.out / "eval_results.json") == results);
  const FinetunedModel apart(worse.not_better);

  // a better one, or one as good, replaces it, and what was kept apart goes
  good.seed = 7;
  CHECK(finetune(good).not_better.empty());
  CHECK_FALSE(fs::exists(good.out / "not-better"));
  CHECK(read_file(good.out / "model.safetensors") != model);

  // judged on another file there is nothing to compare
  FinetuneOptions other = bad;
  write_texts(scratch / "other.tsv", 20, 4);
  other.validation = scratch / "other.tsv";
  CHECK(finetune(other).not_better.empty());
  finetune(good);
  bad.overwrite_better = true;
  CHECK(finetune(bad).not_better.empty());
  CHECK(FinetunedModel(bad.out).task.kind == "classify");
}

TEST_CASE("a model that is trained in its own folder is judged first") {
  const Scratch scratch;
  FinetuneOptions o = small_finetuning(scratch);
  finetune(o);
  const std::string model = read_file(o.out / "model.safetensors");
  fs::remove(o.out / "eval_results.json");
  o.model = o.out;
  o.epochs = 1, o.learning_rate = 1, o.warmup = 0;  // ruins it
  const FinetuneResult ruined = finetune(o);
  CHECK(ruined.score() < 1);
  CHECK(ruined.not_better == o.out / "not-better");
  CHECK(read_file(o.out / "model.safetensors") == model);
}
