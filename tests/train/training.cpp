#include <omp.h>

#include "gradus/autograd/observer.h"
#include "gradus/kernels/tile_gemm.h"
#include "gradus/train/measure.h"
#include "tests/train/small_runs.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {

// The gradients of one batch, in `parts` micro-batches, as one vector.
std::vector<float> gradients_of(const PretrainingBatch& batch, const BertConfig& config,
                                int64_t parts) {
  BertForPreTraining model(config);
  const auto list = parameters(model);
  initialize_bert(list, config, BertInitialization::hugging_face, 1);
  const Training training;
  for (const auto& [begin, end] : batch.splits(parts)) {
    const PretrainingBatch::Part part = batch.part(config, begin, end);
    const RandomScope random(5, 2);
    backward(model.loss(part.input, part.targets).total);
  }
  std::vector<float> all;
  for (const Parameter& p : list)
    if (!p.tied)
      for (const float g : slice(p.leaf.grad(), 0, p.begin, p.end).to_vector<float>())
        all.push_back(g);
  return all;
}

}  // namespace

TEST_CASE("micro-batches add up to the big batch, dropout included") {
  const CorpusFile corpus = CorpusFile::open(world().corpus);
  const InstanceSource source(corpus, Split::train, {.max_seq_length = 48}, 1);
  const PretrainingBatch batch = InstanceStream(source).next(12);
  const BertConfig config = story_config(corpus.vocabulary().size());
  const auto whole = gradients_of(batch, config, 1);
  double length = 0;
  for (const float g : whole) length += static_cast<double>(g) * static_cast<double>(g);
  for (const int64_t parts : {2, 3, 5, 12}) {
    const auto added = gradients_of(batch, config, parts);
    double gap = 0;
    for (size_t i = 0; i < whole.size(); ++i)
      gap += std::pow(static_cast<double>(whole[i]) - static_cast<double>(added[i]), 2);
    CHECK(std::sqrt(gap / length) < 1e-5);
  }
}

TEST_CASE("a whole run is the same, bit for bit, on one thread and on several") {
  const Scratch scratch;
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  pretrain(small_pretraining(scratch, "one"));
  omp_set_num_threads(3);
  const PretrainResult result = pretrain(small_pretraining(scratch, "three"));
  omp_set_num_threads(threads);
  CHECK(result.steps == 6);
  CHECK(read_file(scratch / "one/model.safetensors") ==
        read_file(scratch / "three/model.safetensors"));
}

TEST_CASE(
    "parts of a batch side by side: the same bits on any number of threads, near the whole's") {
  const Scratch scratch;
  const int threads = omp_get_max_threads();
  const auto run = [&](const char* out, int64_t parts, int on, int64_t accumulation = 1) {
    omp_set_num_threads(on);
    PretrainOptions o = small_pretraining(scratch, out);
    o.data_parallel = parts, o.gradient_accumulation_steps = accumulation;
    o.dropout = 0.1;
    const PretrainResult result = pretrain(o);
    omp_set_num_threads(threads);
    return result.last;
  };
  const auto weights = [&](const char* out) {
    return read_file(scratch / out / "model.safetensors");
  };
  const Metrics whole = run("whole", 1, 2), parts = run("three on four", 3, 4);
  run("three on one", 3, 1);
  run("three on two", 3, 2);
  CHECK(weights("three on one") == weights("three on four"));
  CHECK(weights("three on two") == weights("three on four"));
  CHECK(weights("whole") != weights("three on four"));  // as numbers round
  REQUIRE(whole.size() == parts.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    CHECK(whole[i].first == parts[i].first);
    CHECK(whole[i].second == doctest::Approx(parts[i].second).epsilon(1e-4));
  }
  {
    struct : Observer {
    } watcher;  // hears of one thread alone: parts go one after the other
    run("watched", 3, 4);
  }
  CHECK(weights("watched") == weights("three on four"));
  // twice two parts a step
  run("accumulated", 2, 3, 2);
  run("accumulated on one", 2, 1, 2);
  CHECK(weights("accumulated") == weights("accumulated on one"));
  CHECK_MENTIONS(read_file(scratch / "accumulated/run.json"), "\"data_parallel\": 2");
  CHECK(read_file(scratch / "whole/run.json").find("data_parallel") == std::string::npos);
  CHECK_MENTIONS(error_of([&] { run("wrong", 0, 1); }), "options.data_parallel", "0");
  omp_set_num_threads(threads);
}

TEST_CASE("products in bf16: the same bits on any number of threads, near f32, and said") {
  const Scratch scratch;
  const TilesScope unit(&portable_tiles());  // on processors without one, too
  const int threads = omp_get_max_threads();
  const auto run = [&](const char* out, const char* precision) {
    PretrainOptions o = small_pretraining(scratch, out);
    o.matmul_precision = precision;
    return pretrain(o).validation->masked_loss;
  };
  const double exact = run("exact", "highest"), medium = run("three", "medium");
  omp_set_num_threads(1);
  const double high = run("high", "high");
  run("one", "medium");
  omp_set_num_threads(threads);
  const auto weights = [&](const char* out) {
    return read_file(scratch / out / "model.safetensors");
  };
  CHECK(weights("one") == weights("three"));
  CHECK(weights("one") != weights("exact"));
  CHECK(std::abs(medium - exact) < 3e-3);
  CHECK(std::abs(high - exact) < 1e-4);
  CHECK(matmul_precision() == MatmulPrecision::highest);  // after the runs
  CHECK_MENTIONS(read_file(scratch / "one/run.json"), "\"matmul_precision\": \"medium\"",
                 "\"matmul_unit\": \"portable\"");
  CHECK(read_file(scratch / "exact/run.json").find("matmul") == std::string::npos);
  CHECK_MENTIONS(error_of([&] { run("wrong", "bf16"); }), "options.matmul_precision bf16",
                 "highest, high, medium");
}

TEST_CASE("pretrain leaves a folder that loads, its metrics and its configuration") {
  const Scratch scratch;
  PretrainOptions o = small_pretraining(scratch, "run");
  o.max_steps = 40, o.batch_size = 16, o.learning_rate = 3e-3, o.gradient_accumulation_steps = 2;
  const PretrainResult result = pretrain(o);
  REQUIRE(result.validation.has_value());
  CHECK(result.validation->masked_loss < 6.0);
  for (const char* file :
       {"config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json",
        "metrics.jsonl", "run.json", "trainer_state.json", "eval_results.json"})
    CHECK_MESSAGE(fs::exists(o.out / file), file);
  CHECK(std::any_of(fs::directory_iterator(o.out), fs::directory_iterator(), [](const auto& entry) {
    return entry.path().filename().string().starts_with("events.out.tfevents");
  }));
  BertForPreTraining model(load_config(o.out));
  const LoadReport report = load_parameters(o.out, parameters(model));
  CHECK(report.fresh.empty());
  CHECK(report.unused.empty());
  const CorpusFile corpus = CorpusFile::open(o.data);
  InstanceOptions instances;
  instances.max_seq_length = 48;
  const InstanceSource held_out(corpus, Split::validation, instances, o.seed + 1);
  CHECK(evaluate(model, held_out, o.eval_instances).masked_loss ==
        doctest::Approx(result.validation->masked_loss).epsilon(1e-6));
  CHECK_MENTIONS(error_of([&] { pretrain(o); }), "not empty");

  PretrainOptions more = small_pretraining(scratch, "more");
  more.init = o.out;
  more.max_steps = 2;
  more.warmup = 0;
  CHECK(pretrain(more).mean("masked_lm_loss") < 6.0);
}

TEST_CASE("pretraining that goes astray does not write over the model that it began with") {
  const Scratch scratch;
  PretrainOptions o = small_pretraining(scratch, "run");
  o.max_steps = 30, o.learning_rate = 3e-3;
  pretrain(o);
  const std::string model = read_file(o.out / "model.safetensors");
  o.init = o.out;
  o.overwrite = true;
  o.max_steps = 5, o.learning_rate = 10, o.warmup = 0;
  const PretrainResult astray = pretrain(o);
  CHECK(astray.not_better == o.out / "not-better");
  CHECK(read_file(o.out / "model.safetensors") == model);
  BertForPreTraining apart(load_config(astray.not_better));
  CHECK(load_parameters(astray.not_better, parameters(apart)).fresh.empty());
}

TEST_CASE("without next-sentence prediction the pooler is left alone") {
  const Scratch scratch;
  PretrainOptions o = small_pretraining(scratch, "run");
  o.instances.next_sentence = false;
  const PretrainResult result = pretrain(o);
  CHECK(result.validation->pairs == 0);
}

TEST_CASE("wrong options are refused before anything is made") {
  const Scratch scratch;
  PretrainOptions o = small_pretraining(scratch, "run");
  o.max_seq_length = 65;
  CHECK_MENTIONS(error_of([&] { pretrain(o); }),
                 "options.max_seq_length 65 is more than the model's 64 positions");
  using Name = std::string PretrainOptions::*;
  for (const Name member :
       {static_cast<Name>(&PretrainOptions::optimizer),
        static_cast<Name>(&PretrainOptions::schedule), &PretrainOptions::initialization}) {
    o = small_pretraining(scratch, "run");
    o.*member = "sgdd";
    CHECK_MENTIONS(error_of([&] { pretrain(o); }), "sgdd");
    CHECK_FALSE(fs::exists(scratch / "run"));
  }
  o = small_pretraining(scratch, "run");
  o.init = scratch / "nowhere";
  CHECK_MENTIONS(error_of([&] { pretrain(o); }), "nowhere");
  o = small_pretraining(scratch, "run");
  BertConfig other = story_config(123);
  write_file(scratch / "config.json", other.to_json());
  CHECK_MENTIONS(error_of([&] { pretrain(o); }), "the model's 123");
  CHECK_FALSE(fs::exists(scratch / "run"));
}

TEST_CASE("FLOP of a step, by the formula of docs and notes") {
  // tiny, S = 128, 15 % predicted: 6.3 MFLOP a token; base 545.4.
  const auto per_token = [](const char* size) {
    return training_flop(BertConfig::named(size), std::vector<int64_t>(100, 128), 1920) / 12800 /
           1e6;
  };
  CHECK(per_token("tiny") == doctest::Approx(6.3).epsilon(0.01));
  CHECK(per_token("base") == doctest::Approx(545.4).epsilon(0.001));
  // of two layers of 128 with 15 % predicted, the second where it is asked for: keys and values of
  // all, 24 H^2 - 4 H^2 and the pairs of 15 %
  const double H = 128, saved = 0.85 * 3 * (20 * H * H + 4 * H * 128);
  const auto flop = [](bool where_asked) {
    return training_flop(BertConfig::named("tiny"), std::vector<int64_t>(100, 128), 1920,
                         where_asked);
  };
  CHECK((flop(false) - flop(true)) / 12800 == doctest::Approx(saved));
}
