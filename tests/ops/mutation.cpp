// The test of the tests: a backward that is wrong must be noticed. Mutants act where the walk calls
// a backward, in the nodes of one op only: the gradient of one input is zeroed, halved, or
// transposed (its elements reversed where it is not square). Every mutant must make gradcheck fail
// on a sample of that op.
#include "tests/ops/samples.h"

namespace gradus::testing {
namespace {

Tensor zeroed(const Tensor& dx) { return zeros(dx.shape(), dx.dtype()); }
Tensor halved(const Tensor& dx) { return dx * 0.5; }
Tensor transposed(const Tensor& dx) {
  if (dx.rank() >= 2 && dx.size(-1) == dx.size(-2)) return transpose(dx);
  std::vector<double> values = dx.to_vector<double>();
  return from_vector(std::vector<double>(values.rbegin(), values.rend()), dx.shape());
}

// While it lives, the gradients of one input in all nodes of one op are spoiled.
struct Mutant {
  bool acted = false, changed = false;
  Mutant(const std::string& op, size_t input, Tensor (*spoil)(const Tensor&)) {
    backward_interceptor() = [=, this](const Node& node, Tensors& dxs) {
      if (node.op() != op || input >= dxs.size() || !dxs[input].defined() ||
          !node.edges()[input].wanted())
        return;
      const Tensor spoilt = spoil(dxs[input]);
      acted = true;
      changed = changed || !same_bits(spoilt, dxs[input]);
      dxs[input] = spoilt;
    };
  }
  ~Mutant() { backward_interceptor() = nullptr; }
};

size_t most_inputs(const OpInfo& info, const std::vector<Sample>& samples) {
  size_t most = 0;
  for (const Sample& sample : samples)
    for (const Tensor& y : sample.call(leaves_of(sample.inputs)))
      for (const auto& node : nodes_of(y))
        if (node->op() == info.name) most = std::max(most, node->edges().size());
  return most;
}

}  // namespace

TEST_CASE("mutation: every wrong backward is noticed by its op's samples") {
  struct Kind {
    const char* name;
    Tensor (*spoil)(const Tensor&);
  };
  const Kind kinds[] = {{"zeroed", zeroed}, {"halved", halved}, {"transposed", transposed}};
  const Threads one(1);
  int killed = 0, inputs = 0;
  for (const OpInfo& info : op_table()) {
    if (!info.differentiable || info.composed) continue;
    const auto samples = info.samples();
    const size_t count = most_inputs(info, samples);
    CHECK_MESSAGE(count > 0, info.name, " has no node in its samples");
    for (size_t input = 0; input < count; ++input) {
      const bool truly_zero =
          std::count(info.zero_gradients.begin(), info.zero_gradients.end(), input) > 0;
      bool with_gradient = false;
      for (const Kind& kind : kinds) {
        Mutant mutant(info.name, input, kind.spoil);
        bool noticed = false;
        for (const Sample& sample : samples)
          if (!noticed) noticed = !gradcheck(sample.call, sample.inputs);
        // no gradient is wanted for that input: labels, indices, conditions
        if (!mutant.acted) break;
        with_gradient = true;
        if (truly_zero) {
          CHECK_MESSAGE(!noticed, info.name, ": the gradient of input ", input,
                        " is declared zero, but ", kind.name, " is noticed");
        } else {
          const char* why = mutant.changed ? "" : ", and changes nothing in any sample";
          CHECK_MESSAGE(noticed, info.name, ": the gradient of input ", input, " ", kind.name,
                        " is not noticed", why);
          killed += noticed;
        }
      }
      inputs += with_gradient;
    }
  }
  MESSAGE(killed, " mutants killed: ", inputs, " inputs of ", op_table().size(),
          " ops, each zeroed, halved and transposed");
  CHECK(killed == 3 * inputs);
}

TEST_CASE("mutation: the interceptor is empty outside of this test") {
  CHECK(!backward_interceptor());
}

}  // namespace gradus::testing
