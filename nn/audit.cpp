#include "gradus/nn/audit.h"

#include <algorithm>
#include <set>

namespace gradus {

void audit(const ParameterList& list, const Tensors& reached,
           const std::vector<std::string>& unreached_on_purpose) {
  std::set<const TensorImpl*> named, seen;
  for (const Parameter& p : list) named.insert(p.leaf.impl().get());
  for (const Tensor& leaf : reached) {
    seen.insert(leaf.impl().get());
    if (!named.contains(leaf.impl().get()))
      fail(
          "audit: the loss trains {}, which no module lists; add it to a layer's parts(), or "
          "detach() it",
          describe(leaf));
  }
  for (const Parameter& p : list) {
    if (p.buffer || p.leaf.is_frozen() || seen.contains(p.leaf.impl().get())) continue;
    if (std::any_of(unreached_on_purpose.begin(), unreached_on_purpose.end(),
                    [&](const std::string& pattern) { return matches(p.name, pattern); }))
      continue;
    fail(
        "audit: '{}' {} gets no gradient: the loss does not depend on it. Is a layer's output "
        "unused, or the path cut by detach(), NoGrad "
        "or argmax? freeze() it if that is meant",
        p.name, p.view().shape());
  }
}

}  // namespace gradus
