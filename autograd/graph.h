// The graph that made a tensor, as something to look at: text, or DOT for graphviz. To see a fused
// op taken apart, build the graph under Expand.
#pragma once

#include <string>
#include <vector>

#include "gradus/autograd/node.h"

namespace gradus {

// All nodes that y was made from, newest first.
std::vector<std::shared_ptr<Node>> nodes_of(const Tensor& y);

// A line for each node, in aligned columns: number, op, output shapes, what it was made from, bytes
// that it keeps for backward, parameters, module path.
std::string graph_text(const Tensor& y);

// A DOT digraph: ops as boxes in nested clusters by module path, leaves as ellipses with their
// names.
std::string graph_dot(const Tensor& y);

}  // namespace gradus
