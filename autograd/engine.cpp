#include "gradus/autograd/engine.h"

#include <algorithm>
#include <utility>

#include "gradus/autograd/leaf_gradients.h"
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

namespace {
std::string name_of(const Node& node) {
  return node.path().empty() ? node.op() : fmt::format("{} at {}", node.op(), node.path());
}

// A gradient that does not fit its input is a wrong backward; nothing is reshaped to make it fit.
void check_fits(const Tensor& gradient, const Edge& edge, const Node* from, size_t input) {
  const std::string who =
      from ? fmt::format("{}: its backward returned, for input {}", name_of(*from), input)
           : std::string("backward: given was");
  if (gradient.dtype() != edge.dtype)
    fail("{}, a gradient of dtype {}; the input is {}", who, to_string(gradient.dtype()),
         to_string(edge.dtype));
  if (!broadcasts_to(edge.shape, gradient.shape()))
    fail(
        "{}, a gradient of shape {}; the input has shape {}. A gradient has its input's shape, or "
        "one that the input broadcasts to (the engine then sums). Is a transpose missing?",
        who, gradient.shape(), edge.shape);
}
}  // namespace

void Walk::give(const Edge& edge, Tensor gradient, const Node* from, size_t input) {
  if (gradient.dtype() != edge.dtype || gradient.shape() != edge.shape) {
    check_fits(gradient, edge, from, input);
    gradient = sum_to(gradient, edge.shape);
  }
  if (edge.leaf) {
    mark_reached(edge.leaf);
    if (!to_leaves_) return collect(edge.leaf.get(), 0, gradient);
    NoGrad scope;
    GradientSlot slot = leaf_slot(edge.leaf);
    copy_into(gradient, slot.into, slot.add);
    return;
  }
  accumulate(pending_sum(edge), std::move(gradient));
}

Tensor& Walk::pending_sum(const Edge& edge) {
  auto [entry, is_new] = pending_.try_emplace(edge.node->sequence());
  if (is_new) entry->second = {edge.node, Tensors(edge.node->outputs().size())};
  return entry->second.dys[static_cast<size_t>(edge.output)];
}

// The sum of the gradients of what is no leaf, or of a leaf that grad() asks for once.
Tensor* Walk::sum_of(const Edge& edge) {
  if (edge.node) return &pending_sum(edge);
  const auto found = wanted_.find({edge.leaf.get(), 0});
  return found != wanted_.end() && found->second.size() == 1 ? &results_[found->second[0]]
                                                             : nullptr;
}

GradientSlot Walk::slot(const Edge& edge) {
  if (edge.leaf) mark_reached(edge.leaf);
  if (edge.leaf && to_leaves_) return leaf_slot(edge.leaf);
  Tensor* sum = sum_of(edge);
  if (!sum) return {Tensor::empty(edge.shape, edge.dtype)};
  const bool add = sum->defined();
  if (!add || !sole_holder(*sum)) {
    Tensor own = Tensor::empty(edge.shape, edge.dtype);
    if (add) copy_into(*sum, own, false);
    *sum = own;
  }
  return {*sum, add, true};
}

GradientSlot Walk::leaf_slot(const std::shared_ptr<TensorImpl>& leaf) const {
  return options_.into ? options_.into->slot(leaf) : slot_of(Tensor(leaf));
}

bool Walk::has_gradient(const TensorImpl& leaf) const {
  return options_.into ? options_.into->has(&leaf) : leaf.grad != nullptr;
}

GradientSlot slot_of(const Tensor& leaf) {
  TensorImpl& x = leaf.get();
  if (!x.grad) {
    x.grad = x.grad_slot ? x.grad_slot : Tensor::empty(x.shape, x.dtype).impl();
    return {Tensor(x.grad), false, true};
  }
  const bool held = x.grad.use_count() > 1 || x.grad->storage.use_count() > 1;
  if (x.grad != x.grad_slot && (held || !Tensor(x.grad).is_contiguous())) {
    Tensor own = Tensor::empty(x.shape, x.dtype);
    copy_into(Tensor(x.grad), own, false);
    x.grad = own.impl();
  }
  return {Tensor(x.grad), true, true};
}

// Runs one node's backward and returns the gradients that are still to be given. Where nobody
// watches, ops write into slots. A watcher is shown every gradient, which is then copied to its
// slot; that is the same to the last bit, unless an op would add to a gradient that is there
// already: then its backward runs again and does that.
Tensors Walk::run(Node& node, const Tensors& dys, bool watched) {
  const bool in_place = !options_.create_graph && !backward_interceptor();
  const RecordingScope recording(options_.create_graph);
  const auto run_node = [&](bool into_slots) {
    node.slots_ = into_slots ? this : nullptr;
    node.asked_slots_.clear();
    Tensors dxs = node.run_backward(dys);
    node.slots_ = nullptr;
    if (dxs.size() != node.edges().size())
      fail("{}: its backward returned {} gradients for {} inputs", name_of(node), dxs.size(),
           node.edges().size());
    return dxs;
  };
  const OwnSeconds seconds;
  Tensors dxs = run_node(in_place && !watched);
  if (backward_interceptor()) backward_interceptor()(node, dxs);
  for (Observer* observer : observers()) observer->backward(node, dys, dxs, seconds.so_far());
  shown_ = dxs;
  if (!in_place || !watched) return dxs;
  const auto asked = node.asked_slots_;
  const bool adds = std::any_of(asked.begin(), asked.end(), [&](size_t input) {
    const Edge& edge = node.edges()[input];
    if (edge.leaf && to_leaves_) return has_gradient(*edge.leaf);
    const Tensor* sum = sum_of(edge);
    return sum && sum->defined();
  });
  const Tensors again = adds ? run_node(true) : Tensors();
  for (const size_t input : asked) {
    if (adds) {
      dxs[input] = again[input];
    } else if (dxs[input].defined()) {
      GradientSlot place = slot(node.edges()[input]);
      copy_into(dxs[input], place.into, false);
      dxs[input] = place.gradient();
    }
  }
  return dxs;
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
    bool watched = shows_;
    for (const Observer* observer : observers()) watched = watched || observer->wants_gradients();
    Step step{node, std::move(dys), {}};
    Tensors to_give = run(*node, step.dys, watched);
    step.dxs = std::move(shown_);
    if (!options_.keep_graph) node->release();
    const RecordingScope recording(options_.create_graph);
    for (size_t i = 0; i < to_give.size(); ++i) {
      const Edge& edge = node->edges()[i];
      if (edge.wanted() && to_give[i].defined()) give(edge, std::move(to_give[i]), node.get(), i);
    }
    return step;
  }
  return {};
}

BackwardReport backward(const Tensors& ys, const Tensors& dys, GradOptions options) {
  Walk walk(ys, dys, options);
  walk.shows_ = false;
  while (walk.next()) {}
  return {walk.reached()};
}
BackwardReport backward(const Tensor& loss, GradOptions options) {
  return backward(Tensors{loss}, Tensors{unit(loss)}, options);
}

Tensors grad(const Tensors& ys, const Tensors& dys, const Tensors& xs, GradOptions options) {
  Walk walk(ys, dys, xs, options);
  walk.shows_ = false;
  while (walk.next()) {}
  return walk.results();
}
Tensors grad(const Tensor& y, const Tensors& xs, GradOptions options) {
  return grad(Tensors{y}, Tensors{unit(y)}, xs, options);
}

}  // namespace gradus
