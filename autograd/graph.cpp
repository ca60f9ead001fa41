#include "gradus/autograd/graph.h"

#include <fmt/ranges.h>

#include <algorithm>
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
std::string source_text(const Edge& edge, std::unordered_map<const Node*, size_t>& numbers) {
  if (edge.node) return fmt::format("#{}", numbers[edge.node.get()]);
  return edge.leaf ? leaf_name(Tensor(edge.leaf)) : "constant";
}

constexpr size_t bytes_column = 4;
// The width of UTF-8 text, in characters.
size_t columns(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}
}  // namespace

std::string graph_text(const Tensor& y) {
  const auto nodes = nodes_of(y);
  auto numbers = numbers_of(nodes);
  // Columns as wide as their longest cell; all but the first two and the bytes are left-aligned.
  std::vector<std::vector<std::string>> rows{
      {"#", "op", "makes", "from", "saved", "parameters", "module"}};
  for (const auto& node : nodes) {
    std::vector<std::string> from;
    for (const Edge& edge : node->edges()) from.push_back(source_text(edge, numbers));
    rows.push_back({fmt::format("#{}", numbers[node.get()]), node->op(), outputs_text(*node),
                    fmt::format("{}", fmt::join(from, ", ")),
                    fmt::format("{} B", node->saved_bytes()), node->detail(), node->path()});
  }
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], columns(row[c]));
  std::string text = describe(y) + '\n';
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string padding(widths[c] - columns(row[c]), ' ');
      line += c == bytes_column ? padding + row[c] : row[c] + padding;
      line += "  ";
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

namespace {
// The nodes of one module and the modules inside it: "layer.0.attention" lies in "layer.0" in
// "layer".
struct Cluster {
  std::string nodes;
  std::map<std::string, Cluster> inside;
};

std::string cluster_text(const Cluster& cluster, const std::string& path, int depth,
                         size_t& count) {
  const std::string indent(2 * static_cast<size_t>(depth), ' ');
  std::string text;
  for (size_t at = 0; at < cluster.nodes.size();) {
    const size_t end = cluster.nodes.find('\n', at) + 1;
    text += indent + cluster.nodes.substr(at, end - at);
    at = end;
  }
  for (const auto& [name, inner] : cluster.inside) {
    const std::string inner_path = path.empty() ? name : path + "." + name;
    text += fmt::format("{}subgraph cluster_{} {{\n{}  label=\"{}\";\n", indent, count++, indent,
                        escaped(inner_path));
    text += cluster_text(inner, inner_path, depth + 1, count) + indent + "}\n";
  }
  return text;
}

Cluster& cluster_of(Cluster& root, const std::string& path) {
  Cluster* cluster = &root;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('.', at), path.size());
    cluster = &cluster->inside[path.substr(at, end - at)];
    at = end + 1;
  }
  return *cluster;
}
}  // namespace

std::string graph_dot(const Tensor& y) {
  const auto nodes = nodes_of(y);
  auto numbers = numbers_of(nodes);
  Cluster root;
  std::map<const TensorImpl*, std::string> leaves;
  std::string edges;
  for (const auto& node : nodes) {
    const size_t number = numbers[node.get()];
    cluster_of(root, node->path()).nodes += fmt::format(
        "n{} [shape=box, label=\"{}\\n{}\"];\n", number, escaped(node->op()), outputs_text(*node));
    for (const Edge& edge : node->edges()) {
      if (edge.node)
        edges += fmt::format("  n{} -> n{} [label=\"{}\"];\n", numbers[edge.node.get()], number,
                             edge.shape);
      if (!edge.leaf) continue;
      const auto id =
          leaves.emplace(edge.leaf.get(), fmt::format("leaf{}", leaves.size())).first->second;
      edges += fmt::format("  {} -> n{};\n", id, number);
    }
  }
  std::string dot = "digraph gradus {\n  rankdir=BT;\n  node [fontname=Helvetica];\n";
  size_t count = 0;
  dot += cluster_text(root, "", 1, count);
  for (const auto& [leaf, id] : leaves)
    dot +=
        fmt::format("  {} [shape=ellipse, style=filled, fillcolor=lightgrey, label=\"{}\\n{}\"];\n",
                    id, escaped(leaf->name.empty() ? "leaf" : leaf->name), leaf->shape);
  return dot + edges + "}\n";
}

}  // namespace gradus
