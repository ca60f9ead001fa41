#include "gradus/nn/gradcheck.h"

namespace gradus::detail {

std::vector<NamedLeaf> leaves_to_check(const std::vector<Parameter>& list, std::string& notes) {
  std::vector<NamedLeaf> leaves;
  for (const Parameter& p : list) {
    if (p.tied) {
      notes += fmt::format("  {} is tied to {}; it is checked there\n", p.name, p.leaf.name());
    } else if (p.buffer) {
      notes +=
          fmt::format("  {} {} is a buffer: the layer has it as it is\n", p.name, p.view().shape());
    } else if (!p.leaf.requires_grad()) {
      notes +=
          fmt::format("  {} {} is frozen: it is not differentiated by\n", p.name, p.view().shape());
    } else {
      const bool whole = p.leaf.rank() == 0 || (p.begin == 0 && p.end == p.leaf.shape()[0]);
      leaves.push_back({p.name, p.leaf, whole ? 0 : p.begin, whole ? -1 : p.end});
    }
  }
  return leaves;
}

}  // namespace gradus::detail
