// Backward, one node at a time: Walk::next() runs one node and hands over what came in (dys) and
// what went out (dxs). backward() is this loop with nothing in it; set a breakpoint in it and step
// into any op's backward, which is a page of plain code.
#include "gradus/autograd/graph.h"
#include "gradus/nn/layers.h"

using namespace gradus;

int main() {
  Linear first(4, 8), second(8, 3);
  LayerNorm layer_norm(8);
  initialize(first, Normal{0.5}, 1);
  initialize(second, Normal{0.5}, 2);
  first.weight.set_name("first.weight");
  const Tensor x = random_normal({2, 4}, 3), labels = tensor({0, 2}, DType::i32);

  const auto forward = [&] {
    Tensor h;
    {
      const Scope scope("body");
      h = gelu(layer_norm(first(x)));
    }
    const Scope scope("head");
    return cross_entropy(second(h), labels);
  };
  const Tensor loss = forward();
  fmt::print("The graph, newest node first:\n{}\n", graph_text(loss));

  fmt::print("Backward, a node at a time:\n");
  Walk walk(loss);
  while (auto step = walk.next())
    fmt::print("{:<14} {:<8} |dy| {:.2e}   |dx| {:.2e}\n", step.op(), step.path(),
               norm(step.dys[0]), norm(step.dxs[0]));
  fmt::print("{} leaves got a gradient; |d loss / d first.weight| = {:.4f}\n\n",
             walk.reached().size(), norm(first.weight.grad()));

  const Expand expand;  // fused ops run as the expression that they equal
  const Tensor opened = forward();
  fmt::print("The same taken apart: {} nodes instead of {}. As DOT, for graphviz:\n{}",
             nodes_of(opened).size(), nodes_of(loss).size(), graph_dot(loss));
  return std::abs(opened.item() - loss.item()) < 1e-5 ? 0 : 1;
}
