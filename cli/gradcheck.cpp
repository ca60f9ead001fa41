// gradus gradcheck: are the derivatives of the ops right? A line per op of the table; --verbose
// shows every sample and input; --whole holds the ops to all that check_op knows.
#include <algorithm>

#include "gradus/autograd/observer.h"
#include "gradus/base/closest.h"
#include "gradus/cli/cli.h"
#include "gradus/ops/check_op.h"
#include "gradus/ops/table.h"

namespace gradus::cli {
namespace {

struct GradcheckArguments {
  std::string op;
  int order = 1;
  uint64_t seed = 1;
  bool verbose = false, whole = false;
};

[[noreturn]] void unknown_op(const std::string& op) {
  std::vector<std::string> names;
  for (const OpInfo& info : op_table()) names.push_back(info.name);
  fail("gradcheck: there is no op '{}'{} ('all' checks every one)", op, closest(op, names));
}

// Everything that the ops are held to, a report per op.
void run_whole(const OpInfos& ops) {
  const double start = seconds_now();
  std::string wrong;
  for (const OpInfo& info : ops) {
    const OpReport report = check_op(info);
    fmt::print("{}", report.log);
    if (!report) wrong += (wrong.empty() ? "" : ", ") + info.name;
  }
  fmt::print("{} op{}: {} in {:.1f} s\n", ops.size(), ops.size() == 1 ? "" : "s",
             wrong.empty() ? "all hold" : "WRONG: " + wrong, seconds_now() - start);
  if (!wrong.empty()) fail_run("gradcheck: {} do not hold", wrong);
}

void run(const GradcheckArguments& arguments) {
  OpInfos ops;
  for (const OpInfo& info : op_table())
    if (info.differentiable && (arguments.op == "all" || arguments.op == info.name))
      ops.push_back(info);
  if (ops.empty()) unknown_op(arguments.op);
  if (arguments.whole) return run_whole(ops);

  const double start = seconds_now();
  size_t checked = 0;
  int64_t entries = 0;
  std::string wrong;
  fmt::print("{:<14} {:<36} {:>7}  {:>11}\n", "op", "formula", "samples", "worst error");
  for (const OpInfo& info : ops) {
    const auto& samples = info.samples;
    double worst = 0;
    bool ok = true;
    std::string log;
    for (const Sample& sample : samples) {
      const GradcheckResult result = gradcheck_op(
          info, sample.call, sample.inputs, {.order = arguments.order, .seed = arguments.seed});
      worst = std::max(worst, result.worst);
      entries += result.checked;
      ok = ok && result.ok;
      if (arguments.verbose || !result.ok) log += fmt::format("  {}\n{}", sample.note, result.log);
    }
    checked += samples.size();
    if (!ok) wrong += (wrong.empty() ? "" : ", ") + info.name;
    fmt::print("{:<14} {:<36} {:>7}  {:>11.1e}  {}\n{}", info.name, info.formula, samples.size(),
               worst, ok ? "ok" : "WRONG", log);
  }
  fmt::print("{} op{}, {} samples, {} entries of gradients, order {}{}: {} in {:.1f} s\n",
             ops.size(), ops.size() == 1 ? "" : "s", checked, entries,
             arguments.order == 2 ? "1 and " : "", arguments.order,
             wrong.empty() ? "all derivatives agree with differences" : "WRONG: " + wrong,
             seconds_now() - start);
  if (!wrong.empty()) fail_run("gradcheck: wrong derivatives in {}", wrong);
}

}  // namespace

void add_gradcheck(Verb& program) {
  auto arguments = std::make_shared<GradcheckArguments>();
  Verb verb =
      program.verb("gradcheck", "check the derivatives of an op, or of all, against differences");
  verb.option("op", arguments->op, "an op of the table, or all").required();
  verb.option("--order", arguments->order, "1: gradients; 2: gradients of gradients too")
      .one_of({"1", "2"});
  verb.option("--seed", arguments->seed, "of the random cotangents");
  verb.flag("--verbose", arguments->verbose, "show every sample and input");
  verb.flag("--whole", arguments->whole,
            "all that check_op knows: layouts, dtypes, sizes, threads, levels, mutants, …");
  verb.footer(
      "Each sample's gradients, for a random cotangent, are compared with 4-point central "
      "differences in f64.\nExample: gradus gradcheck layer_norm --order 2 --verbose");
  verb.does([arguments] { run(*arguments); });
}

}  // namespace gradus::cli
