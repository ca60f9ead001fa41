#include "gradus/autograd/transform.h"

#include <algorithm>
#include <utility>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/random.h"

namespace gradus {
namespace {
// Fresh leaves with the values of xs, so that a transform neither sees nor touches the history of
// what it is given.
Tensors as_leaves(Inputs xs) {
  Tensors leaves;
  for (const Tensor& x : xs) leaves.push_back(x.detach().set_requires_grad(is_float(x.dtype())));
  return leaves;
}
}  // namespace

Vjp vjp(const Function& f, Inputs xs, const Tensors& dys) {
  const RecordingScope recording(true);
  const Tensors leaves = as_leaves(xs);
  Tensors ys = f(leaves);
  Tensors dxs = grad(ys, dys, leaves);
  for (Tensor& y : ys) y = y.detach();
  return {ys, dxs};
}

Jvp jvp(const Function& f, Inputs xs, const Tensors& dxs) {
  const RecordingScope recording(true);
  const Tensors leaves = as_leaves(xs);
  Tensors ys = f(leaves), us;
  for (const Tensor& y : ys)
    us.push_back(zeros(y.shape(), y.dtype()).set_requires_grad(is_float(y.dtype())));
  const Tensors linear = grad(ys, us, leaves, {.create_graph = true});
  Tensors reached, directions;
  for (size_t i = 0; i < linear.size(); ++i)
    if (linear[i].defined() && linear[i].requires_grad()) {
      reached.push_back(linear[i]);
      directions.push_back(dxs[i]);
    }
  Tensors dys = grad(reached, directions, us);
  for (size_t i = 0; i < ys.size(); ++i) {
    if (!dys[i].defined()) dys[i] = zeros(ys[i].shape(), ys[i].dtype());
    ys[i] = ys[i].detach();
  }
  return {ys, dys};
}

Tensors hvp(const std::function<Tensor(Inputs)>& f, Inputs xs, const Tensors& vs) {
  const RecordingScope recording(true);
  const Tensors leaves = as_leaves(xs);
  const Tensors gradients = grad(f(leaves), leaves, {.create_graph = true});
  Tensors reached, directions;
  for (size_t i = 0; i < gradients.size(); ++i)
    if (gradients[i].defined() && gradients[i].requires_grad()) {
      reached.push_back(gradients[i]);
      directions.push_back(vs[i]);
    }
  return grad(reached, directions, leaves);
}

namespace {
struct Checkpoint : Op<Checkpoint> {
  static constexpr const char* name = "checkpoint";
  Function f;
  size_t count;        // of f's own arguments; the other inputs are what it captured
  RandomState random;  // as it was before the first run
  std::shared_ptr<const std::string> path = current_path();
  Tensors outputs_of_first_run;

  Checkpoint(Function f, size_t count, RandomState random, Tensors outputs)
      : f(std::move(f)),
        count(count),
        random(std::move(random)),
        outputs_of_first_run(std::move(outputs)) {}

  Tensors forward(Inputs in) override {
    save(in);
    return std::move(outputs_of_first_run);
  }

  Tensors backward(const Tensors& dys) override {
    Tensors fresh, wanted;
    // a captured activation is given: its own history is the outer walk's
    const uint64_t since = nodes_made();
    for (size_t i = 0; i < edges().size(); ++i) {
      const Tensor x = saved(i);
      // f uses the captured tensor itself, so its gradient is asked for by itself
      if (i >= count) {
        wanted.push_back(x);
        continue;
      }
      if (!wants(i)) fresh.push_back(x.detach());
      else fresh.push_back(grad_enabled() ? alias(x) : x.detach().set_requires_grad());
      if (wants(i)) wanted.push_back(fresh.back());
    }
    const bool differentiated_again = grad_enabled();
    const RandomScope replay(random);
    const Scope place(path);  // dropout draws by module path
    Tensors found;
    {
      const RecordingScope recording(true);
      found = grad(f(fresh), dys, wanted, {.create_graph = differentiated_again, .since = since});
    }
    Tensors dxs(edges().size());
    for (size_t i = 0, next = 0; i < dxs.size(); ++i)
      if (i >= count || wants(i)) dxs[i] = found[next++];
    return dxs;
  }
};
}  // namespace

Tensors checkpoint(const Function& f, Inputs xs) {
  if (!grad_enabled()) return f(xs);
  RandomState before = random_state();
  Tensors touched, ys, inputs = xs, arguments;
  // an x that f captures as well is then found as captured
  for (const Tensor& x : xs) arguments.push_back(x.detach());
  {
    const NoGrad scope;
    Tensors* const outer = std::exchange(detail::modes().touched, &touched);
    try {
      ys = f(arguments);
    } catch (...) {
      detail::modes().touched = outer;
      throw;
    }
    detail::modes().touched = outer;
    if (outer) outer->insert(outer->end(), touched.begin(), touched.end());
  }
  for (const Tensor& y : ys)  // f may return what it captured
    if (y.requires_grad()) touched.push_back(y);
  const auto captured = static_cast<std::ptrdiff_t>(xs.size());
  for (const Tensor& x : touched)
    if (std::none_of(inputs.begin() + captured, inputs.end(),
                     [&](const Tensor& y) { return x.same(y); }))
      inputs.push_back(x);
  return apply<Checkpoint>(inputs, f, xs.size(), std::move(before), std::move(ys));
}

}  // namespace gradus
