#include "gradus/autograd/engine.h"

#include <utility>

#include "gradus/autograd/observer.h"

namespace gradus {
namespace {

const void* key_of(const Tensor& x) {
  return x.get().node ? static_cast<const void*>(x.get().node.get()) : x.impl().get();
}
int output_of(const Tensor& x) { return x.get().node ? x.get().output : 0; }

// A gradient may be written in place only by its sole holder: an add hands the same dy to both
// sides.
bool sole_holder(const Tensor& x) {
  return x.impl().use_count() == 1 && x.get().storage.use_count() == 1 && x.is_contiguous();
}

void accumulate(Tensor& sum, Tensor gradient) {
  if (!sum.defined()) {
    sum = std::move(gradient);
  } else if (!grad_enabled() && sole_holder(sum)) {
    copy_into(gradient, sum, true);
  } else {
    sum = add(sum, gradient);
  }
}

Tensor unit(const Tensor& loss) {
  if (loss.numel() != 1)
    fail(
        "backward: the loss has shape {}; it needs exactly one element, or pass the gradient dy to "
        "start from",
        loss.shape());
  return ones(loss.shape(), loss.dtype());
}

}  // namespace

std::function<void(const Node&, Tensors&)>& backward_interceptor() {
  static std::function<void(const Node&, Tensors&)> interceptor;
  return interceptor;
}

Walk::Walk(const Tensor& loss, GradOptions options)
    : Walk(Tensors{loss}, Tensors{unit(loss)}, options) {}

Walk::Walk(const Tensors& ys, const Tensors& dys, GradOptions options) : options_(options) {
  for (const Tensor& y : ys)
    if (!y.requires_grad())
      fail(
          "backward: {} has no history: it was made without a parameter that wants a gradient, "
          "under NoGrad, or after detach()",
          describe(y));
  start(ys, dys);
}

Walk::Walk(const Tensors& ys, const Tensors& dys, const Tensors& wanted, GradOptions options)
    : options_(options), to_leaves_(false), results_(wanted.size()) {
  for (size_t i = 0; i < wanted.size(); ++i)
    wanted_[{key_of(wanted[i]), output_of(wanted[i])}].push_back(i);
  find_leading(ys);
  start(ys, dys);
}

void Walk::start(const Tensors& ys, const Tensors& dys) {
  if (ys.size() != dys.size())
    fail("backward: {} tensors and {} gradients to start from", ys.size(), dys.size());
  if (options_.create_graph) options_.keep_graph = true;
  for (size_t i = 0; i < ys.size(); ++i) {
    if (!dys[i].defined() || !ys[i].requires_grad()) continue;
    if (dys[i].shape() != ys[i].shape())
      fail("backward: the gradient to start from has shape {}, the tensor {}", dys[i].shape(),
           ys[i].shape());
    Edge edge{ys[i].get().node, output_of(ys[i]), ys[i].is_leaf() ? ys[i].impl() : nullptr,
              ys[i].shape(), ys[i].dtype()};
    give(edge, dys[i]);
  }
}

// Marks the nodes from which a wanted tensor can be reached: all nodes below ys are found first,
// then judged oldest first.
void Walk::find_leading(const Tensors& ys) {
  std::map<uint64_t, std::shared_ptr<Node>> found;
  std::vector<std::shared_ptr<Node>> open;
  // undefined ones are legal: gradients that are zero, differentiated again
  for (const Tensor& y : ys)
    if (y.defined() && y.get().node && y.get().node->sequence() > options_.since)
      open.push_back(y.get().node);
  while (!open.empty()) {
    const auto node = std::move(open.back());
    open.pop_back();
    if (!found.emplace(node->sequence(), node).second) continue;
    for (const Edge& edge : node->edges())
      if (edge.node && edge.node->sequence() > options_.since &&
          !found.contains(edge.node->sequence()))
        open.push_back(edge.node);
  }
  for (const auto& [sequence, node] : found) {
    bool leads = false;
    for (const Edge& edge : node->edges()) {
      if (edge.leaf) leads = leads || wanted_.contains({edge.leaf.get(), 0});
      if (edge.node)
        leads =
            leads || leading_[edge.node.get()] || wanted_.contains({edge.node.get(), edge.output});
    }
    leading_[node.get()] = leads;
  }
}

void Walk::mark_reached(const std::shared_ptr<TensorImpl>& leaf) {
  if (seen_.emplace(leaf.get(), true).second) reached_.push_back(Tensor(leaf));
}

void Walk::collect(const void* key, int output, const Tensor& gradient) {
  const auto found = wanted_.find({key, output});
  if (found == wanted_.end()) return;
  for (size_t place : found->second) accumulate(results_[place], gradient);
}

void Walk::give(const Edge& edge, Tensor gradient) {
  if (gradient.dtype() != edge.dtype)
    fail("backward: a gradient of dtype {} was given to a tensor of dtype {}",
         to_string(gradient.dtype()), to_string(edge.dtype));
  if (gradient.shape() != edge.shape) gradient = sum_to(gradient, edge.shape);
  if (edge.leaf) {
    mark_reached(edge.leaf);
    if (!to_leaves_) return collect(edge.leaf.get(), 0, gradient);
    const Tensor leaf(edge.leaf);
    NoGrad scope;
    if (Destination place = place_for_gradient(leaf)) copy_into(gradient, place.into, place.add);
    else leaf.set_grad(add(leaf.grad(), gradient));
    return;
  }
  accumulate(pending_sum(edge), std::move(gradient));
}

Tensor& Walk::pending_sum(const Edge& edge) {
  auto [entry, is_new] = pending_.try_emplace(edge.node->sequence());
  if (is_new) entry->second = {edge.node, Tensors(edge.node->outputs().size())};
  return entry->second.dys[static_cast<size_t>(edge.output)];
}

Destination Walk::destination(const Edge& edge) {
  if (edge.leaf && to_leaves_) {
    mark_reached(edge.leaf);
    return place_for_gradient(Tensor(edge.leaf));
  }
  Tensor* sum = nullptr;
  if (edge.node) {
    sum = &pending_sum(edge);
  } else if (edge.leaf) {
    const auto found = wanted_.find({edge.leaf.get(), 0});
    if (found != wanted_.end() && found->second.size() == 1) sum = &results_[found->second[0]];
  }
  if (!sum) return {};
  if (!sum->defined()) {
    *sum = Tensor::empty(edge.shape, edge.dtype);
    return {*sum, false};
  }
  return sole_holder(*sum) ? Destination{*sum, true} : Destination();
}

Destination place_for_gradient(const Tensor& leaf) {
  TensorImpl& x = leaf.get();
  if (!x.grad) {
    x.grad = x.grad_home ? x.grad_home : Tensor::empty(x.shape, x.dtype).impl();
    return {Tensor(x.grad), false};
  }
  // Someone else may hold the gradient (a caller who kept it); then it must not change under them.
  if (x.grad != x.grad_home && (x.grad.use_count() > 1 || x.grad->storage.use_count() > 1))
    return {};
  return {Tensor(x.grad), true};
}

Walk::Step Walk::next() {
  while (!pending_.empty()) {
    auto [node, dys] = std::move(pending_.begin()->second);
    pending_.erase(pending_.begin());
    if (!to_leaves_) {
      for (size_t i = 0; i < dys.size(); ++i)
        if (dys[i].defined()) collect(node.get(), static_cast<int>(i), dys[i]);
      if (!leading_[node.get()]) continue;
    }
    if (node->released())
      fail(
          "{}: backward ran already and its saved tensors were freed; pass keep_graph to run it "
          "again",
          node->op());
    Step step{node, std::move(dys), {}};
    const double start = observers().empty() ? 0 : seconds_now();
    bool observed = false;
    for (Observer* observer : observers()) observed = observed || observer->wants_gradients();
    node->destinations_ =
        destinations_ && !options_.create_graph && !observed && !backward_interceptor() ? this
                                                                                        : nullptr;
    const RecordingScope recording(options_.create_graph);
    step.dxs = node->run_backward(step.dys);
    node->destinations_ = nullptr;
    if (!options_.keep_graph) node->release();
    if (step.dxs.size() != node->edges().size())
      fail("{}: its backward returned {} gradients for {} inputs", node->op(), step.dxs.size(),
           node->edges().size());
    if (backward_interceptor()) backward_interceptor()(*node, step.dxs);
    for (Observer* observer : observers())
      observer->backward(*node, step.dys, step.dxs, seconds_now() - start);
    for (size_t i = 0; i < step.dxs.size(); ++i) {
      const Edge& edge = node->edges()[i];
      if (edge.wanted() && step.dxs[i].defined()) give(edge, step.dxs[i]);
    }
    return step;
  }
  return {};
}

BackwardReport backward(const Tensors& ys, const Tensors& dys, GradOptions options) {
  Walk walk(ys, dys, options);
  walk.destinations_ = true;
  while (walk.next()) {}
  return {walk.reached()};
}
BackwardReport backward(const Tensor& loss, GradOptions options) {
  return backward(Tensors{loss}, Tensors{unit(loss)}, options);
}

Tensors grad(const Tensors& ys, const Tensors& dys, const Tensors& xs, GradOptions options) {
  Walk walk(ys, dys, xs, options);
  walk.destinations_ = true;
  while (walk.next()) {}
  return walk.results();
}
Tensors grad(const Tensor& y, const Tensors& xs, GradOptions options) {
  return grad(Tensors{y}, Tensors{unit(y)}, xs, options);
}

}  // namespace gradus
