#include "gradus/autograd/graph.h"

#include <fmt/ranges.h>

#include <map>
#include <unordered_map>

namespace gradus {

std::vector<std::shared_ptr<Node>> nodes_of(const Tensor& y) {
  std::map<uint64_t, std::shared_ptr<Node>, std::greater<>> found;
  std::vector<std::shared_ptr<Node>> open{y.get().node};
  while (!open.empty()) {
    const auto node = std::move(open.back());
    open.pop_back();
    if (!node || !found.emplace(node->sequence(), node).second) continue;
    for (const Edge& edge : node->edges()) open.push_back(edge.node);
  }
  std::vector<std::shared_ptr<Node>> nodes;
  for (auto& [sequence, node] : found) nodes.push_back(node);
  return nodes;
}

namespace {
std::string outputs_text(const Node& node) {
  std::vector<std::string> outputs;
  for (const auto& output : node.outputs())
    outputs.push_back(fmt::format("{} {}", to_string(output.dtype), output.shape));
  return fmt::format("{}", fmt::join(outputs, ", "));
}
std::string leaf_name(const Tensor& leaf) {
  return leaf.name().empty() ? fmt::format("leaf {}", leaf.shape()) : leaf.name();
}
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}
// Numbers that mean something to a reader: 1 is the oldest node of this graph.
std::unordered_map<const Node*, size_t> numbers_of(
    const std::vector<std::shared_ptr<Node>>& nodes) {
  std::unordered_map<const Node*, size_t> numbers;
  for (size_t i = 0; i < nodes.size(); ++i) numbers[nodes[i].get()] = nodes.size() - i;
  return numbers;
}
}  // namespace

std::string graph_text(const Tensor& y) {
  const auto nodes = nodes_of(y);
  auto numbers = numbers_of(nodes);
  std::string text = describe(y) + '\n';
  for (const auto& node : nodes) {
    std::vector<std::string> from;
    for (const Edge& edge : node->edges())
      from.push_back(edge.node   ? fmt::format("#{}", numbers[edge.node.get()])
                     : edge.leaf ? leaf_name(Tensor(edge.leaf))
                                 : "constant");
    text += fmt::format("#{:<4} {:<16} {:<18} <- {:<28} saved {:>8} B{}{}{}{}\n",
                        numbers[node.get()], node->op(), outputs_text(*node), fmt::join(from, ", "),
                        node->saved_bytes(), node->detail().empty() ? "" : "  ", node->detail(),
                        node->path().empty() ? "" : "  at ", node->path());
  }
  return text;
}

std::string graph_dot(const Tensor& y) {
  const auto nodes = nodes_of(y);
  auto numbers = numbers_of(nodes);
  std::map<std::string, std::string> clusters;  // by module path
  std::map<const TensorImpl*, std::string> leaves;
  std::string edges;
  for (const auto& node : nodes) {
    const size_t number = numbers[node.get()];
    clusters[node->path()] += fmt::format("    n{} [shape=box, label=\"{}\\n{}\"];\n", number,
                                          escaped(node->op()), outputs_text(*node));
    for (const Edge& edge : node->edges()) {
      if (edge.node)
        edges += fmt::format("  n{} -> n{} [label=\"{}\"];\n", numbers[edge.node.get()], number,
                             edge.shape);
      if (!edge.leaf) continue;
      const auto place =
          leaves.emplace(edge.leaf.get(), fmt::format("leaf{}", leaves.size())).first;
      edges += fmt::format("  {} -> n{};\n", place->second, number);
    }
  }
  std::string dot = "digraph gradus {\n  rankdir=BT;\n  node [fontname=Helvetica];\n";
  size_t cluster = 0;
  for (const auto& [path, members] : clusters)
    dot += path.empty() ? members
                        : fmt::format("  subgraph cluster_{} {{\n    label=\"{}\";\n{}  }}\n",
                                      cluster++, escaped(path), members);
  for (const auto& [leaf, id] : leaves)
    dot +=
        fmt::format("  {} [shape=ellipse, style=filled, fillcolor=lightgrey, label=\"{}\\n{}\"];\n",
                    id, escaped(leaf->name.empty() ? "leaf" : leaf->name), leaf->shape);
  return dot + edges + "}\n";
}

}  // namespace gradus
