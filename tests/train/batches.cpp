// How units become batches: cut by tokens, weighed as a whole.
#include "gradus/train/batches.h"

#include "tests/support.h"

using namespace gradus;

namespace {

// Unit u has u + 1 tokens and weighs 0.1 * (u + 1).
struct Counted : TaskSet {
  int64_t size() const override { return 8; }
  std::vector<Sequence> sequences(int64_t unit) const override {
    Sequence sequence;
    sequence.ids.assign(static_cast<size_t>(unit + 1), static_cast<int32_t>(unit));
    sequence.types.assign(sequence.ids.size(), 0);
    return {sequence};
  }
  Targets targets(std::span<const int64_t> units) const override {
    Targets targets;
    for (const int64_t unit : units) targets.weights.push_back(0.1 * static_cast<double>(unit + 1));
    return targets;
  }
  Evaluation evaluate(const std::vector<UnitLogits>&) const override { return {}; }
  void write_predictions(const std::vector<UnitLogits>&, std::ostream&, int64_t) const override {}
};

}  // namespace

TEST_CASE("a batch is cut by tokens, and weighs the same to the last bit wherever it is cut") {
  const std::vector<int64_t> units{6, 0, 1, 2, 7, 3};
  double weight = 0;
  for (const int64_t unit : units) weight += 0.1 * static_cast<double>(unit + 1);
  for (const int64_t most : {1, 6, 7, 100}) {
    const TaskBatch batch(Counted(), units, most);
    CHECK(batch.weight == weight);
    std::vector<int64_t> seen;
    for (const BatchPart& part : batch.parts) {
      CHECK(part.first == static_cast<int64_t>(seen.size()));
      CHECK(part.targets.weights.size() == part.units.size());
      CHECK((part.tokens.size() <= most || part.units.size() == 1));
      seen.insert(seen.end(), part.units.begin(), part.units.end());
    }
    CHECK(seen == units);
  }
  CHECK(TaskBatch(Counted(), units, 1).parts.size() == 6);
  CHECK(TaskBatch(Counted(), units, 7).parts.size() == 4);
  CHECK(TaskBatch(Counted(), units, 100).parts.size() == 1);
}
