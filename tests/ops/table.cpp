// The table of ops, held to check_op: a test per part, so that `-tc='ops: layouts*'` runs one. What
// each part means stands in ops/check_op.h.
#include "tests/ops/large.h"
#include "tests/ops/samples.h"

namespace gradus::testing {
namespace {

// The part of every op; how many comparisons it made, by op.
std::map<std::string, int64_t> check_table(const std::string& part) {
  const auto large = large_samples();
  std::map<std::string, int64_t> counts;
  int64_t total = 0;
  for (OpInfo info : op_table()) {
    for (const auto& [name, sample] : large)
      if (name == info.name) info.large.push_back(sample);
    const OpReport report = check_op(info, {part});
    CHECK_MESSAGE(report.ok, report.log);
    total += counts[info.name] = report.counts.at(part);
  }
  MESSAGE(part, ": ", total, " comparisons, ", op_table().size(), " ops");
  return counts;
}

size_t samples_of(const OpInfo& info) { return info.samples.size(); }

}  // namespace

TEST_CASE("ops: every sample runs, makes its node and leaves its inputs alone") {
  check_table("samples");
}
TEST_CASE("ops: derivatives of orders 1 and 2 are right in every layout") {
  const auto counts = check_table("derivatives");
  for (const OpInfo& info : op_table())
    if (info.differentiable)
      CHECK(counts.at(info.name) == static_cast<int64_t>(4 * samples_of(info)));
}
TEST_CASE("ops: layouts give the same bits, in f64 and f32") {
  const auto counts = check_table("layouts");
  for (const OpInfo& info : op_table())
    CHECK(counts.at(info.name) == static_cast<int64_t>(8 * samples_of(info)));
}
TEST_CASE("ops: dtypes agree within the op's tolerance, or are refused by name") {
  check_table("dtypes");
}
TEST_CASE("ops: sizes 0 and 1 give a right result, or are refused by name") {
  check_table("sizes");
}
TEST_CASE("ops: inputs may be given twice or depend on each other") {
  int64_t pairs = 0;
  for (const auto& [name, count] : check_table("inputs")) pairs += count;
  CHECK(pairs > 80);
}
TEST_CASE("ops: fused ones are their reference, orders 1 and 2") {
  const auto counts = check_table("fused");
  for (const char* op : {"linear", "softmax", "log_softmax", "logsumexp", "gelu", "silu",
                         "bias_gelu", "swiglu", "geglu", "layer_norm", "rms_norm", "add_norm",
                         "cross_entropy", "decoder_loss", "rotary", "attention"})
    CHECK_MESSAGE(counts.at(op) > 0, op, " should be a fused op");
}
TEST_CASE("ops: leaves get from backward() what grad() returns, and it is added") {
  check_table("leaves");
}
TEST_CASE("ops: threads do not change a bit, on samples and on large inputs") {
  check_table("threads");
}
TEST_CASE("ops: levels of instructions agree, in f32") {
  int count = 0;
  const Kernels<float>* const* levels = kernel_levels(&count);
  for (const std::string level : {"baseline", "avx2", "avx512"})
    if (std::none_of(levels, levels + count, [&](const auto* l) { return l->level == level; }))
      MESSAGE("SKIPPED: this processor, or this build, has no level ", level);
  check_table("levels");
  CHECK(kernels<float>().level == std::string(levels[count - 1]->level));
}
TEST_CASE("ops: mutants of every backward are noticed by the op's samples") {
  const auto counts = check_table("mutants");
  for (const OpInfo& info : op_table())
    if (info.differentiable && !info.composed && info.zero_gradients.empty())
      CHECK(counts.at(info.name) >= 3);
  CHECK(!backward_interceptor());
}
TEST_CASE("ops: errors hold all that they must mention") { check_table("errors"); }

}  // namespace gradus::testing
