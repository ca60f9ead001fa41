#include "gradus/nn/parts.h"

#include <algorithm>
#include <map>
#include <set>

#include "gradus/ops/ops.h"

namespace gradus {

Tensor Parameter::view() const {
  Shape shape = leaf.shape();
  if (shape.rank() == 0) return leaf.detach();
  shape[0] = end - begin;
  return leaf.view(shape, leaf.strides(), leaf.offset() + begin * leaf.strides()[0]);
}

int64_t Parameter::numel() const {
  return leaf.rank() == 0 ? 1
                          : leaf.numel() / std::max<int64_t>(leaf.shape()[0], 1) * (end - begin);
}

void Parts::enter(std::string_view name) {
  if (!prefix_.empty()) prefix_ += '.';
  prefix_ += name;
}

void Parts::add(std::string_view name, Tensor& parameter, int64_t begin, int64_t end, bool tied) {
  const size_t length = prefix_.size();
  enter(name);
  check(parameter.defined(), "the parameter '{}' is undefined; its layer was not constructed",
        prefix_);
  list.push_back({prefix_, parameter, begin, end, tied});
  places.push_back(&parameter);
  prefix_.resize(length);
}

void Parts::operator()(std::string_view name, Tensor& parameter) {
  add(name, parameter, 0, parameter.defined() && parameter.rank() ? parameter.shape()[0] : 1,
      false);
}
void Parts::rows(std::string_view name, Tensor& parameter, int64_t begin, int64_t end) {
  add(name, parameter, begin, end, false);
}
void Parts::tied(std::string_view name, Tensor& parameter) {
  add(name, parameter, 0, parameter.rank() ? parameter.shape()[0] : 1, true);
}

void Parts::rename(size_t first, std::string_view name, std::string (*renamed)(std::string_view)) {
  const size_t below = (prefix_.empty() ? 0 : prefix_.size() + 1) + name.size() + 1;
  for (size_t i = first; i < list.size(); ++i) {
    std::string& whole = list[i].name;
    whole = whole.substr(0, below) + renamed(std::string_view(whole).substr(below));
  }
}

std::vector<Parameter> checked_parameters(const Parts& parts) {
  std::set<std::string> names;
  std::map<const TensorImpl*, std::vector<const Parameter*>> by_leaf;
  for (const Parameter& p : parts.list) {
    if (!names.insert(p.name).second) fail("two parameters are named '{}'", p.name);
    auto& same = by_leaf[p.leaf.impl().get()];
    for (const Parameter* other : same)
      if (!p.tied && p.begin < other->end && other->begin < p.end)
        fail(
            "'{}' and '{}' are one parameter; if that is meant, declare the second with p.tied(), "
            "otherwise construct each layer by itself "
            "(std::vector<Layer>(12, layer) copies share)",
            other->name, p.name);
    if (!p.tied) same.push_back(&p);
  }
  for (const Parameter& p : parts.list) {
    const auto& ranges = by_leaf[p.leaf.impl().get()];
    if (ranges.empty()) fail("'{}' is tied to a parameter that is not listed", p.name);
    int64_t covered = 0;
    for (const Parameter* range : ranges) covered += range->numel();
    if (covered != p.leaf.numel())
      fail("the ranges of '{}' cover {} of the {} elements of its leaf", p.name, covered,
           p.leaf.numel());
    // A leaf in ranges is named by what their names share: "…self.query.weight", "…self.key.weight"
    // -> "…self.*.weight".
    std::string name = ranges[0]->name;
    if (ranges.size() > 1) {
      const std::string& other = ranges[1]->name;
      const auto head = static_cast<size_t>(
          std::mismatch(name.begin(), name.end(), other.begin(), other.end()).first - name.begin());
      auto tail = static_cast<size_t>(
          std::mismatch(name.rbegin(), name.rend(), other.rbegin(), other.rend()).first -
          name.rbegin());
      tail = std::min(tail, name.size() - head);
      while (tail > 0 && name[name.size() - tail] != '.') --tail;  // whole parts of a name
      name = name.substr(0, head) + "*" + name.substr(name.size() - tail);
    }
    Tensor leaf = p.leaf;
    leaf.set_name(name);
  }
  return parts.list;
}

int64_t count_parameters(const std::vector<Parameter>& list) {
  int64_t count = 0;
  for (const Parameter& p : list)
    if (!p.tied) count += p.numel();
  return count;
}

bool matches(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    for (size_t skip = 0; skip <= name.size(); ++skip)
      if (matches(name.substr(skip), pattern.substr(1))) return true;
    return false;
  }
  return !name.empty() && (pattern[0] == '?' || pattern[0] == name[0]) &&
         matches(name.substr(1), pattern.substr(1));
}

int64_t freeze(const std::vector<Parameter>& list, std::string_view pattern) {
  int64_t matched = 0;
  std::map<const TensorImpl*, bool> all_match;
  for (const Parameter& p : list) {
    if (p.tied) continue;
    const bool match = matches(p.name, pattern);
    matched += match;
    const auto [entry, is_new] = all_match.emplace(p.leaf.impl().get(), match);
    if (!is_new && entry->second != match)
      fail("the pattern '{}' freezes '{}' but not all ranges of its leaf {}", pattern, p.name,
           p.leaf.name());
  }
  for (const Parameter& p : list)
    if (Tensor leaf = p.leaf; all_match[leaf.impl().get()]) leaf.set_requires_grad(false);
  return matched;
}

void renew_parameters(const Parts& parts, std::optional<DType> dtype) {
  const NoGrad scope;
  std::map<const TensorImpl*, Tensor> renewed;
  for (Tensor* place : parts.places) {
    Tensor& fresh = renewed[place->impl().get()];
    if (!fresh.defined()) {
      fresh = dtype && *dtype != place->dtype() ? cast(*place, *dtype) : clone(*place);
      fresh.set_name(place->name()).set_requires_grad(place->is_leaf());
    }
    *place = fresh;
  }
}

}  // namespace gradus
