#include "gradus/train/not_finite.h"

#include <cmath>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/modes.h"
#include "gradus/autograd/observer.h"
#include "gradus/autograd/random.h"

namespace gradus {
namespace {

struct Span {
  double low = INFINITY, high = -INFINITY;
  int64_t not_finite = 0;
};

Span span_of(const Tensor& tensor) {
  Span span;
  if (!tensor.defined() || !is_float(tensor.dtype())) return span;
  for (const double x : tensor.to_vector<double>()) {
    if (!std::isfinite(x)) {
      ++span.not_finite;
      continue;
    }
    span.low = std::min(span.low, x);
    span.high = std::max(span.high, x);
  }
  return span;
}

bool any_not_finite(const Tensors& tensors) {
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const Tensor& t) { return span_of(t).not_finite > 0; });
}

class Detective : public Observer {
 public:
  std::string found;
  void forward(const Node& node, Inputs in, const Tensors& out, double) override {
    look(node, "forward", "inputs", Tensors(in.begin(), in.end()), out);
  }
  void backward(const Node& node, const Tensors& dys, const Tensors& dxs, double) override {
    look(node, "backward", "gradients given to it", dys, dxs);
  }

 private:
  void look(const Node& node, const char* way, const char* given, const Tensors& in,
            const Tensors& out) {
    if (!found.empty() || !any_not_finite(out)) return;
    std::string ranges;
    for (const Tensor& tensor : in) {
      const Span span = span_of(tensor);
      if (!tensor.defined() || !is_float(tensor.dtype())) continue;
      ranges += fmt::format("{}{} in [{:.3g}, {:.3g}]", ranges.empty() ? "" : ", ", tensor.shape(),
                            span.low, span.high);
      if (span.not_finite) ranges += fmt::format(" and {} not finite", span.not_finite);
    }
    found = fmt::format("It begins in the {} of {}{}; {}: {}.", way, node.op(),
                        node.path().empty() ? "" : " in " + node.path(), given, ranges);
  }
};

}  // namespace

std::string first_not_finite(const Batch& batch, const Objective& objective, uint64_t seed,
                             int64_t step) {
  Detective detective;
  const Training training;
  Means unused;
  for (const auto& part : batch.parts) {
    const std::shared_ptr<void> around = objective.around();
    const RandomScope random(seed, static_cast<uint64_t>(step));
    const Tensor loss = part(unused);
    if (detective.found.empty()) backward(loss);
    if (!detective.found.empty()) return detective.found;
  }
  return "Run again, the batch gave finite numbers.";
}

}  // namespace gradus
