// gradus bench step: the throughput of training steps on random full-length sequences, as a share
// of this machine's sgemm rate measured in the same run.
#include <omp.h>

#include <omp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <numeric>

#include "gradus/autograd/observer.h"
#include "gradus/base/json.h"
#include "gradus/base/parallel.h"
#include "gradus/base/random.h"
#include "gradus/base/range.h"
#include "gradus/cli/cli.h"
#include "gradus/kernels/gemm.h"
#include "gradus/kernels/kernels.h"
#include "gradus/models/bert.h"
#include "gradus/optim/adamw.h"
#include "gradus/train/loop.h"
#include "gradus/train/measure.h"

namespace gradus::cli {
namespace {

struct BenchOptions {
  std::vector<std::string> models{"tiny"};
  int64_t batch = 32, length = 128, steps = 10, vocab = 30522, threads = 0;
  double dropout = 0.1, masked = 0.15;
  int64_t beside = 0;
  bool json = false;
  bool profile = false;
  std::string ops = "fused", matmul_precision = "highest";
};

// Time by op, forward and backward, without that of ops inside of it: where a step goes. It sees no
// gradients, so that ops run as they do without it.
struct Profiler : Observer {
  std::map<std::string, std::pair<double, double>> seconds;
  void forward(const Node& node, Inputs, const Tensors&, double s) override {
    seconds[node.op()].first += s;
  }
  void backward(const Node& node, const Tensors&, const Tensors&, double s) override {
    seconds[node.op()].second += s;
  }
  bool wants_gradients() const override { return false; }
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

// Full-length sequences of random words, the same in every step.
struct RandomText {
  TokenBatch tokens;
  PretrainingTargets targets;
  RandomText(const BenchOptions& o, const BertConfig& config) {
    Random random(1);
    tokens.lengths.assign(static_cast<size_t>(o.batch), o.length);
    for (int64_t i = 0; i < o.batch * o.length; ++i) {
      tokens.ids.push_back(static_cast<int32_t>(random.below(o.vocab)));
      tokens.types.push_back(i % o.length >= o.length / 2);
      targets.rows.push_back(static_cast<int32_t>(i));
    }
    random.shuffle(targets.rows);
    targets.rows.resize(
        static_cast<size_t>(std::llround(o.masked * static_cast<double>(tokens.ids.size()))));
    std::sort(targets.rows.begin(), targets.rows.end());
    for (const int32_t row : targets.rows)
      targets.labels.push_back(tokens.ids[static_cast<size_t>(row)]);
    for (int64_t i = 0; i < o.batch && !config.modern; ++i)
      targets.next_labels.push_back(static_cast<int32_t>(random.below(2)));
  }
};

// The loop's steps, each timed from batch to batch; between them the sgemm rate is taken.
struct Timed : Objective {
  const BertForPreTraining& model;
  const BertInput input;
  const PretrainingTargets& targets;
  const BenchOptions& options;
  std::unique_ptr<Profiler> profiler;
  std::vector<double> times, rates;
  double start = 0;
  int64_t step = -warm_up;
  static constexpr int64_t warm_up = 3;

  Timed(const BertForPreTraining& model, const RandomText& text, const BenchOptions& options)
      : model(model),
        input(model.bert.config, text.tokens),
        targets(text.targets),
        options(options) {}
  void stop() {
    if (step > 0) times.push_back(seconds_now() - start);
  }
  Batch next(double /*progress*/) override {
    stop();
    if (step == 0 && options.profile) profiler = std::make_unique<Profiler>();
    // beside others a rate of the machine says nothing
    if (step >= 0 && step % 4 == 0 && options.beside == 0) rates.push_back(measure_sgemm_rate(3));
    ++step;
    start = seconds_now();
    return {.parts = {[this](Means&) { return model.loss(input, targets).total; }}};
  }
};

// Busy loops in processes of their own: what else goes on on the machine.
class Neighbours {
 public:
  explicit Neighbours(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (volatile uint64_t x = 0;;) x = x + 1;
      }
      if (child > 0) children_.push_back(child);
    }
  }
  ~Neighbours() {
    for (const pid_t child : children_) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
  }
  Neighbours(const Neighbours&) = delete;
  Neighbours& operator=(const Neighbours&) = delete;

 private:
  std::vector<pid_t> children_;
};

void run(const std::string& size, const BenchOptions& o) {
  BertConfig config = BertConfig::named(size, o.vocab);
  config.hidden_dropout_prob = config.attention_probs_dropout_prob = o.dropout;
  BertForPreTraining model(config);
  const auto list = parameters(model);
  initialize_bert(list, config, BertInitialization::hugging_face, 1);
  AdamW optimizer(list, {.learning_rate = 1e-4});
  const RandomText text(o, config);
  auto neighbours = std::make_unique<Neighbours>(o.beside);
  Timed timed(model, text, o);
  const ExpandOutermost composed(o.ops == "composed");
  const Expand expanded(o.ops == "expanded");
  train(list, optimizer, {Schedule::Shape::constant, 1e-4, 0, o.steps + Timed::warm_up}, timed,
        {.seed = 1, .quiet = true});
  timed.stop();
  const std::vector<double>& times = timed.times;
  std::vector<double>& rates = timed.rates;
  const PretrainingTargets& targets = text.targets;
  neighbours.reset();
  rates.push_back(measure_sgemm_rate(3));
  const double seconds = median(times), sgemm = *std::max_element(rates.begin(), rates.end());
  const double useful =
      training_flop(config, text.tokens.lengths, static_cast<int64_t>(targets.rows.size())) /
      seconds / 1e9;
  const auto tokens = static_cast<double>(text.tokens.size());
  if (o.json) {
    nlohmann::ordered_json line;
    line["size"] = size, line["batch"] = o.batch, line["s"] = o.length, line["dropout"] = o.dropout,
    line["ops"] = o.ops, line["beside"] = o.beside, line["step_s"] = seconds;
    line["min_s"] = *std::min_element(times.begin(), times.end()), line["tok_s"] = tokens / seconds,
    line["useful_gflops"] = useful, line["sgemm"] = sgemm;
    line["share"] = useful / sgemm, line["peak_mb"] = peak_resident_mb(),
    line["threads"] = thread_count(), line["kernels"] = kernels<float>().level;
    line["blas_core"] = prepare_blas().core;
    fmt::print("{}\n", line.dump());
  } else {
    fmt::print(
        "{:<7} {:>4} x {:<4} {:>9.1f} ms a step {:>9.0f} tokens/s {:>8.1f} GFLOP/s useful   share "
        "{:.2f} of sgemm {:.0f} GFLOP/s   {} MB\n",
        size, o.batch, o.length, seconds * 1e3, tokens / seconds, useful, useful / sgemm, sgemm,
        peak_resident_mb());
  }
  if (const Profiler* profiler = timed.profiler.get()) {
    std::vector<std::pair<double, std::string>> rows;
    for (const auto& [op, s] : profiler->seconds) rows.emplace_back(s.first + s.second, op);
    std::sort(rows.rbegin(), rows.rend());
    double covered = 0;
    for (const auto& [total, op] : rows) {
      const auto& [forward, backward] = profiler->seconds.at(op);
      const double by = 1e3 / static_cast<double>(o.steps);
      covered += total * by;
      fmt::print("    {:<16} {:>8.2f} ms   forward {:>8.2f}   backward {:>8.2f}\n", op, total * by,
                 forward * by, backward * by);
    }
    const double mean =
        std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
    fmt::print(
        "    {:<16} {:>8.2f} ms (optimizer, adding gradients, memory), of {:.2f} on average\n",
        "the rest", mean * 1e3 - covered, mean * 1e3);
  }
  std::fflush(stdout);
}

}  // namespace

void add_bench(Verb& program) {
  auto options = std::make_shared<BenchOptions>();
  Verb bench = program.verb("bench", "measure training steps on this machine");
  Verb step = bench.verb(
      "step",
      "whole pretraining steps (forward, backward, clip, AdamW) on random full-length sequences");
  step.option("--model", options->models, "sizes: tiny mini small medium base large").count(1, 6);
  step.option("--batch", options->batch, "sequences a step").between(1, 1 << 20);
  step.option("--length", options->length, "tokens a sequence").between(1, 512);
  step.option("--steps", options->steps, "steps timed").positive();
  step.option("--size", options->vocab, "tokens of the vocabulary").between(1, int64_t{1} << 30);
  step.option("--dropout", options->dropout);
  step.option("--threads", options->threads, "0: all").between(0, 1024);
  step.option("--beside", options->beside, "so many busy loops of other processes")
      .between(0, 1024);
  step.flag("--json", options->json, "a JSON line a model");
  step.flag("--profile", options->profile, "time by op");
  step.option("--matmul-precision", options->matmul_precision, "medium: bf16 where AMX is")
      .one_of({"highest", "high", "medium"});
  step.option("--ops", options->ops,
              "fused; composed: attention, gelu of a sum and the like as expressions of other ops; "
              "expanded: all of these as theirs")
      .one_of({"fused", "composed", "expanded"});
  step.footer(
      "Example: gradus bench step --model tiny mini --steps 20\nShare: useful GFLOP/s (head at the "
      "masked 15 %, no recomputation counted) "
      "over the sgemm rate of the same run.");
  step.does([options] {
    check_range("--dropout", options->dropout, {.at_least = 0, .below = 1});
    const PrecisionScope precision(
        matmul_precision_named("--matmul-precision", options->matmul_precision));
    if (options->threads > 0) omp_set_num_threads(static_cast<int>(options->threads));
    const BlasCore& core = prepare_blas();
    if (!options->json)
      fmt::print("OpenBLAS core {}{}, kernels {}, {} threads, dropout {}\n", core.core,
                 core.changed ? fmt::format(" (had chosen {})", core.started) : "",
                 kernels<float>().level, thread_count(), options->dropout);
    for (const std::string& model : options->models) run(model, *options);
  });
}

}  // namespace gradus::cli
