#include "gradus/autograd/transform.h"

#include <algorithm>
#include <utility>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/random.h"

namespace gradus {
namespace {

// Fresh leaves with the values of xs, so that a transform neither sees nor touches the history of
// what it is given. What f captures is no leaf of these, and so a constant.
Tensors as_leaves(Inputs xs) {
  Tensors leaves;
  for (const Tensor& x : xs) {
    leaves.push_back(x.detach());
    if (is_float(x.dtype())) leaves.back().set_requires_grad();
  }
  return leaves;
}

// One direction for each tensor, of its shape and dtype; undefined is zero.
void check_directions(const char* op, const char* of, const Tensors& xs,
                      const Tensors& directions) {
  if (xs.size() != directions.size())
    fail("{}: {} {}, and {} tensors to multiply by; it needs one for each", op, xs.size(), of,
         directions.size());
  for (size_t i = 0; i < xs.size(); ++i)
    if (directions[i].defined() && is_float(xs[i].dtype()) &&
        (directions[i].shape() != xs[i].shape() || directions[i].dtype() != xs[i].dtype()))
      fail("{}: number {} of the {} is {} {}, the tensor to multiply by {} {}", op, i, of,
           to_string(xs[i].dtype()), xs[i].shape(), to_string(directions[i].dtype()),
           directions[i].shape());
}

// d (sum of ys . dys) / d xs. An x that the ys do not depend on has the gradient zero, which is a
// tensor like any other here; only one that is no float has none.
Tensors product(const Tensors& ys, const Tensors& dys, const Tensors& xs, GradOptions options) {
  Tensors reached, weights;
  for (size_t i = 0; i < ys.size(); ++i)
    if (ys[i].defined() && ys[i].requires_grad() && dys[i].defined()) {
      reached.push_back(ys[i]);
      weights.push_back(dys[i]);
    }
  Tensors dxs = grad(reached, weights, xs, options);
  for (size_t i = 0; i < xs.size(); ++i)
    if (!dxs[i].defined() && is_float(xs[i].dtype())) dxs[i] = zeros(xs[i].shape(), xs[i].dtype());
  return dxs;
}

// What a transform runs f under: it records, and second derivatives are wanted, whatever the caller
// is in the middle of.
struct Recording {
  RecordingScope recording{true};
  FirstOrderOnly first_order_only{false};
  // what f captures has a history of its own, which is not walked
  uint64_t since = nodes_made();
};

Tensors detached(Tensors ys) {
  for (Tensor& y : ys) y = y.detach();
  return ys;
}

}  // namespace

Vjp vjp(const Function& f, Inputs xs, const Tensors& dys) {
  const Recording scope;
  const Tensors leaves = as_leaves(xs), ys = f(leaves);
  check_directions("vjp", "outputs", ys, dys);
  const Tensors dxs = product(ys, dys, leaves, {.since = scope.since});
  return {detached(ys), dxs};
}

Jvp jvp(const Function& f, Inputs xs, const Tensors& dxs) {
  check_directions("jvp", "inputs", xs, dxs);
  const Recording scope;
  const Tensors leaves = as_leaves(xs), ys = f(leaves);
  Tensors us;
  for (const Tensor& y : ys) {
    us.push_back(zeros(y.shape(), y.dtype()));
    if (is_float(y.dtype())) us.back().set_requires_grad();
  }
  const Tensors linear = product(ys, us, leaves, {.create_graph = true, .since = scope.since});
  return {detached(ys), product(linear, dxs, us, {.since = scope.since})};
}

Tensors hvp(const std::function<Tensor(Inputs)>& f, Inputs xs, const Tensors& vs) {
  check_directions("hvp", "inputs", xs, vs);
  const Recording scope;
  const Tensors leaves = as_leaves(xs);
  const Tensor y = f(leaves);
  if (y.numel() != 1)
    fail("hvp: the function must be scalar, and its result has the shape {}", y.shape());
  const Tensors gradients = product({y}, {ones(y.shape(), y.dtype())}, leaves,
                                    {.create_graph = true, .since = scope.since});
  return product(gradients, vs, leaves, {.since = scope.since});
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
