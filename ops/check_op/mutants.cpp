// The test of the samples: a backward that is wrong must be noticed. Mutants act where the walk
// calls a backward, in the nodes of one op only: the gradient of one input is zeroed, halved, or
// transposed (its elements reversed where it is not square). Every mutant must make gradcheck fail
// on a sample of that op.
#include <algorithm>

#include "gradus/autograd/gradcheck.h"
#include "gradus/autograd/graph.h"
#include "gradus/ops/check_op/part.h"
#include "gradus/ops/check_op/runs.h"
#include "gradus/ops/ops.h"

namespace gradus::op_check {
namespace {

Tensor zeroed(const Tensor& dx) { return zeros(dx.shape(), dx.dtype()); }
Tensor halved(const Tensor& dx) { return dx * 0.5; }
Tensor transposed(const Tensor& dx) {
  if (dx.rank() >= 2 && dx.size(-1) == dx.size(-2)) return transpose(dx);
  const std::vector<double> values = dx.to_vector<double>();
  const Tensor reversed =
      from_vector(std::vector<double>(values.rbegin(), values.rend()), dx.shape());
  return cast(reversed, dx.dtype());
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

size_t most_inputs(const OpInfo& info) {
  size_t most = 0;
  for (const Sample& sample : info.samples)
    for (const Tensor& y : sample.call(leaves_of(sample.inputs)))
      for (const auto& node : nodes_of(y))
        if (node->op() == info.name) most = std::max(most, node->edges().size());
  return most;
}

bool is_noticed(const OpInfo& info) {
  return std::any_of(info.samples.begin(), info.samples.end(), [](const Sample& sample) {
    return !gradcheck(sample.call, sample.inputs, {.explain = false});
  });
}

}  // namespace

void check_mutants(Part& part) {
  struct Kind {
    const char* name;
    Tensor (*spoil)(const Tensor&);
  };
  const Kind kinds[] = {{"zeroed", zeroed}, {"halved", halved}, {"transposed", transposed}};
  const OpInfo& info = part.info;
  if (!info.differentiable || info.composed) return;
  int inputs = 0;
  for (size_t input = 0; input < most_inputs(info); ++input) {
    const bool truly_zero =
        std::count(info.zero_gradients.begin(), info.zero_gradients.end(), input) > 0;
    bool with_gradient = false;
    for (const Kind& kind : kinds) {
      const Mutant mutant(info.name, input, kind.spoil);
      const bool noticed = is_noticed(info);
      // no gradient is wanted for that input: labels, indices, conditions
      if (!mutant.acted) break;
      with_gradient = true;
      if (truly_zero)
        part.expect(!noticed,
                    "the gradient of input {} is declared zero (zero_gradients), but {} is noticed",
                    input, kind.name);
      else
        part.expect(noticed, "the gradient of input {} {} is noticed by no sample{}", input,
                    kind.name, mutant.changed ? "" : ", and changes nothing in any");
    }
    inputs += with_gradient;
  }
  if (!inputs && info.zero_gradients.empty())
    part.wrong("no gradient flows to any input; where that is meant, name them in zero_gradients");
  part.note(fmt::format(" ({} inputs)", inputs));
}

}  // namespace gradus::op_check
