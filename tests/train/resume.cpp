// A run that is stopped and goes on ends as the one that was never stopped: weights, losses, files.
#include <csignal>
#include <set>

#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "gradus/optim/optimizers.h"
#include "gradus/train/finetune.h"
#include "gradus/train/loop.h"
#include "tests/io/small_model.h"
#include "tests/train/small_runs.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {

// Without what the clock says.
nlohmann::ordered_json timeless(nlohmann::ordered_json json) {
  if (json.is_object()) {
    for (const char* key :
         {"tokens_per_second", "sgemm_share", "train_runtime", "eval_runtime", "seconds", "flop"})
      json.erase(key);
    // where a run lies says nothing either
    for (auto& [key, value] : json.items()) value = timeless(value);
  } else if (json.is_array()) {
    for (auto& value : json) value = timeless(value);
  }
  return json;
}

std::string timeless_lines(const fs::path& path) {
  std::string all;
  for_each_line(path, [&](std::string_view line, int64_t) {
    all += timeless(parse_ordered_json(line)).dump() + "\n";
  });
  return all;
}

// Every file that both runs have is the same, and they have the same ones.
void check_same_folders(const fs::path& a, const fs::path& b) {
  const auto names = [](const fs::path& folder) {
    std::set<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder))
      if (const std::string name = entry.path().filename().string(); !name.starts_with("events."))
        all.insert(name);
    return all;
  };
  CHECK(names(a) == names(b));
  for (const std::string& name : names(a)) {
    if (fs::is_directory(a / name)) continue;
    if (name == "metrics.jsonl") CHECK(timeless_lines(a / name) == timeless_lines(b / name));
    else if (name == "trainer_state.json")
      CHECK(timeless(parse_ordered_json(read_file(a / name))).dump() ==
            timeless(parse_ordered_json(read_file(b / name))).dump());
    else CHECK_MESSAGE(read_file(a / name) == read_file(b / name), name);
  }
}

// Stops the run (as SIGTERM does) when it is about to make one of these steps.
template <class Options>
Options stopping_at(Options o, std::vector<int64_t> steps) {
  o.before_update.push_back([steps](const BeforeUpdate& now) {
    if (std::find(steps.begin(), steps.end(), now.step) != steps.end()) std::raise(SIGTERM);
  });
  return o;
}

// Runs to the end, stopped at these steps and resumed each time.
template <class Options, class Run>
void run_in_pieces(Options o, const std::vector<int64_t>& steps, Run&& run) {
  for (const int64_t step : steps) {
    const auto result = run(stopping_at(o, {step}));
    CHECK(result.stopped_by == SIGTERM);
    CHECK(result.steps == step);
    CHECK(fs::exists(o.out / fmt::format("checkpoint-{}", step)));
    o.resume = true;
  }
  const auto result = run(o);
  CHECK(result.complete);
  CHECK(result.stopped_by == 0);
}

// A model of one's own: a batch in four parts, the third of which may be where a signal comes.
struct Regression : Objective {
  Linear& layer;
  int64_t step = 0, stop_at = -1;
  explicit Regression(Linear& layer) : layer(layer) {}
  Batch next(double /*progress*/) override {
    Batch batch{.tokens = 8};
    for (int64_t part = 0; part < 4; ++part)
      batch.parts.push_back([this, part, at = step](Means& means) {
        if (at == stop_at && part == 2) std::raise(SIGINT);
        const Tensor x = random_normal({2, 3}, 1, static_cast<uint64_t>(4 * at + part));
        const Tensor y = dropout(layer(x), 0.3) - sum(x, 1, {.keep_axes = true});
        means.add("first", y.to_vector<float>()[0]);
        return mean(square(y)) * 0.25;
      });
    ++step;
    return batch;
  }
  std::string state() const override { return std::to_string(step); }
  void restore(const std::string& state) override { step = std::stoll(state); }
};

struct Outcome {
  TrainResult result;
  std::vector<float> weights;
};

Outcome regress(const TrainOptions& options, int64_t stop_at = -1) {
  Linear layer(3, 2);
  initialize(layer, Normal{0.5}, 1);
  AdamW optimizer(layer, {.learning_rate = 1e-2});
  Regression objective(layer);
  objective.stop_at = stop_at;
  const TrainResult result =
      train(layer, optimizer, {.peak = 1e-2, .warmup = 2, .total = 10}, objective, options);
  return {result, layer.weight.to_vector<float>()};
}

}  // namespace

TEST_CASE("resume: pretraining, in the middle of an epoch and of a logging interval") {
  const Scratch scratch;
  PretrainOptions o = small_pretraining(scratch, "whole");
  o.max_steps = 14, o.eval_steps = 5, o.logging_steps = 4, o.gradient_accumulation_steps = 2;
  o.dropout = 0.1;
  pretrain(o);
  o.out = scratch / "pieces";
  o.save_steps = 0;
  run_in_pieces(o, {3, 5, 11}, pretrain);
  check_same_folders(scratch / "whole", scratch / "pieces");
}

TEST_CASE("resume: pretraining of a ModernBERT, whose lengths, batches and masks change") {
  const Scratch scratch;
  PretrainOptions o = small_pretraining(scratch, "whole");
  BertConfig config =
      BertConfig::named("modern-tiny", CorpusFile::open(o.data).vocabulary().size());
  config.hidden_size = 32, config.intermediate_size = 32, config.num_hidden_layers = 3;
  config.modern->global_attn_every_n_layers = 2, config.modern->local_attention = 16;
  write_file(scratch / "modern.json", config.to_json());
  o.model = (scratch / "modern.json").string();
  o.max_steps = 14, o.eval_steps = 5, o.logging_steps = 4;
  o.phases = {{24, 0.5}, {48, 0.5}}, o.final_batch_size = 16, o.final_masked_lm_prob = 0.3;
  o.optimizer = "muon";
  const PretrainResult whole = pretrain(o);
  CHECK(whole.validation->pairs == 0);
  BertForMaskedLM model(load_config(o.out));
  CHECK(load_parameters(o.out, parameters(model)).fresh.empty());
  o.out = scratch / "pieces";
  o.save_steps = 0;
  run_in_pieces(o, {3, 7, 11}, pretrain);
  check_same_folders(scratch / "whole", scratch / "pieces");
}

TEST_CASE("resume: fine-tuning, with the best model, patience and adapters") {
  for (const int64_t rank : {0, 2}) {
    CAPTURE(rank);
    const Scratch scratch;
    FinetuneOptions o = small_finetuning(scratch);
    o.dropout = 0.1, o.epochs = 4, o.batch_size = 7, o.lora_rank = rank;
    o.out = scratch / "whole";
    const FinetuneResult whole = finetune(o);
    o.out = scratch / "pieces";
    run_in_pieces(o, {2, 14, 29, 30}, finetune);
    check_same_folders(scratch / "whole", scratch / "pieces");
    o.resume = true;  // once more: nothing is left to do, and its result is there
    const FinetuneResult again = finetune(o);
    CHECK(again.ended_before);
    CHECK(again.steps == whole.steps);
    CHECK(again.score() == whole.score());
    CHECK(again.evaluation.tables == whole.evaluation.tables);
  }
}

TEST_CASE("resume: without a validation file") {
  const Scratch scratch;
  FinetuneOptions o = small_finetuning(scratch);
  o.validation.clear();
  o.epochs = 2;
  o.out = scratch / "whole";
  finetune(o);
  o.out = scratch / "pieces";
  run_in_pieces(o, {5}, finetune);
  check_same_folders(scratch / "whole", scratch / "pieces");
}

TEST_CASE("resume: in the middle of an accumulated step, and from another folder") {
  const Scratch scratch;
  const TrainOptions base{.logging_steps = 3, .quiet = true};
  TrainOptions o = base;
  o.out = scratch / "whole";
  const Outcome whole = regress(o);
  CHECK(whole.result.complete);
  o.out = scratch / "pieces";
  const Outcome stopped = regress(o, 4);
  CHECK(stopped.result.stopped_by == SIGINT);
  CHECK(stopped.result.steps == 4);
  CHECK(fs::exists(scratch / "pieces/checkpoint-4/gradients.safetensors"));
  TrainOptions other = base;
  other.out = scratch / "other";
  other.resume_from = scratch / "pieces";
  CHECK(regress(other).weights == whole.weights);
  o.resume = true;
  CHECK(regress(o).weights == whole.weights);
  check_same_folders(scratch / "whole", scratch / "pieces");
}

TEST_CASE("resume: what is refused, and what is passed over") {
  const Scratch scratch;
  PretrainOptions o = small_pretraining(scratch, "run");
  o.max_steps = 8, o.save_steps = 2, o.save_total_limit = 3;
  pretrain(stopping_at(o, {6}));
  for (const char* there : {"checkpoint-2", "checkpoint-4", "checkpoint-6"})
    CHECK_MESSAGE(fs::exists(o.out / there), std::string(there));
  CHECK_MENTIONS(error_of([&] { pretrain(o); }), "has not ended", "options.resume",
                 "options.overwrite");

  o.resume = true;
  PretrainOptions other = o;
  other.learning_rate = 2e-3;
  CHECK_MENTIONS(error_of([&] { pretrain(other); }), "learning_rate 0.001", "0.002 now");
  other = o;
  other.batch_size = 9;
  CHECK_MENTIONS(error_of([&] { pretrain(other); }), "batch_size 8", "9 now");
  other = o;
  other.resume_from = scratch / "nothing";
  CHECK_MENTIONS(error_of([&] { pretrain(other); }), "nothing", "no checkpoint");

  // A damaged one is passed over for the one before; asked for by name it is an Error.
  const fs::path damaged = o.out / "checkpoint-6/optimizer.safetensors";
  std::string bytes = read_file(damaged);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(damaged, bytes);
  other = o;
  other.resume_from = o.out / "checkpoint-6";
  CHECK_MENTIONS(error_of([&] { pretrain(other); }), "checkpoint-6 is damaged",
                 "optimizer.safetensors has changed");
  int64_t first = 0;
  other = o;
  other.save_steps = 5;  // harmless
  other.before_update.push_back([&](const BeforeUpdate& now) {
    if (!first) first = now.step;
  });
  CHECK(pretrain(other).complete);
  CHECK(first == 5);
  PretrainOptions whole = small_pretraining(scratch, "whole");
  whole.max_steps = 8;
  pretrain(whole);
  CHECK(read_file(whole.out / "model.safetensors") == read_file(o.out / "model.safetensors"));
  CHECK(pretrain(o).ended_before);
}

TEST_CASE("a function of the step is enough; numbers out of range are refused") {
  Linear layer(3, 1);
  initialize(layer, Normal{0.5}, 1);
  Sgd optimizer(layer, {.learning_rate = 0.1});
  const auto loss = [&](int64_t step) {
    const Tensor x = random_normal({8, 3}, 5, static_cast<uint64_t>(step));
    return mean(square(layer(x) - sum(x, 1, {.keep_axes = true})));
  };
  const TrainResult result =
      train(layer, optimizer, {.shape = Schedule::Shape::constant, .peak = 0.1, .total = 200}, loss,
            {.logging_steps = 50, .quiet = true});
  CHECK(result.steps == 200);
  CHECK(result.mean("loss") < 1e-3);
  const auto refused = [&](const TrainOptions& options, const char* mentions) {
    CHECK_MENTIONS(error_of([&] { train(layer, optimizer, {}, loss, options); }), mentions);
  };
  refused({.max_grad_norm = std::nan("")}, "options.max_grad_norm nan");
  refused({.logging_steps = 0}, "options.logging_steps 0");
  refused({.save_minutes = -1}, "options.save_minutes -1");
  refused({.data_parallel = 0}, "options.data_parallel 0");
  refused({.save_total_limit = 0}, "options.save_total_limit 0");
  refused({.resume = true}, "options.out");
}

TEST_CASE("what is not finite stops the run by name, or is left out where that is allowed") {
  Linear layer(3, 1);
  initialize(layer, Normal{0.5}, 1);
  AdamW optimizer(layer, {.learning_rate = 0.1});
  const auto loss = [&](int64_t step) {
    const Tensor x = random_normal({4, 3}, 5, static_cast<uint64_t>(step));
    const Tensor y = layer(x);
    return mean(square(step == 3 ? log(y * 0.0 - 1.0) : y));
  };
  const auto run = [&](int64_t skip) {
    return train(layer, optimizer, {.total = 6}, loss, {.skip_nonfinite = skip, .quiet = true});
  };
  CHECK_MENTIONS(error_of([&] { run(0); }), "not finite at step 4",
                 "It begins in the forward of log", "[-1, -1]");
  const TrainResult result = run(1);
  CHECK(result.steps == 6);
  CHECK(result.skipped == 1);
}
