#include "gradus/nn/parts.h"

#include <fmt/ranges.h>

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

Parameter& Parts::add(std::string_view name, Tensor& tensor) {
  const size_t length = prefix_.size();
  enter(name);
  check(tensor.defined(), "the parameter '{}' is undefined; its layer was not constructed",
        prefix_);
  list.push_back({prefix_, tensor, 0, tensor.rank() ? tensor.shape()[0] : 1});
  places.push_back(&tensor);
  prefix_.resize(length);
  return list.back();
}

Parameter& Parts::add_trained(std::string_view name, Tensor& parameter,
                              const PartOptions& options) {
  Parameter& p = add(name, parameter);
  if (const auto& node = parameter.get().node)
    fail(
        "the parameter '{}' was made by {} while recording: it has a history, and an optimizer "
        "cannot move it. Make it under NoGrad or detach() it in the layer's constructor; if it is "
        "computed anew in each forward, list what it is computed from",
        p.name, node->op());
  if (!is_float(parameter.dtype()))
    fail(
        "the parameter '{}' is {}, which has no gradient; list it as p.buffer(\"{}\", …) if it is "
        "to be saved and not trained",
        p.name, to_string(parameter.dtype()), name);
  if (!parameter.is_frozen()) parameter.set_requires_grad();
  const bool is_matrix = parameter.rank() >= 2;
  p.init = options.init.value_or(is_matrix ? Init::drawn : Init::keep);
  p.decays = options.decay.value_or(is_matrix);
  p.table = options.table;
  return p;
}

void Parts::operator()(std::string_view name, Tensor& parameter, PartOptions options) {
  add_trained(name, parameter, options);
}

void Parts::rows(std::string_view name, Tensor& parameter, int64_t begin, int64_t end,
                 PartOptions options) {
  Parameter& p = add_trained(name, parameter, options);
  if (begin < 0 || begin > end || end > p.end)
    fail("'{}' is declared as the rows {} to {} of a parameter of shape {}", p.name, begin, end,
         parameter.shape());
  p.begin = begin;
  p.end = end;
}

void Parts::rename(size_t first, std::string_view name, std::string (*renamed)(std::string_view)) {
  const size_t below = (prefix_.empty() ? 0 : prefix_.size() + 1) + name.size() + 1;
  for (size_t i = first; i < list.size(); ++i) {
    std::string& whole = list[i].name;
    whole = whole.substr(0, below) + renamed(std::string_view(whole).substr(below));
  }
  join_ranges(first);
}

void Parts::join_ranges(size_t first) {
  for (size_t i = first + 1; i < list.size();) {
    Parameter &before = list[i - 1], &p = list[i];
    if (p.name != before.name || !p.leaf.same(before.leaf) || p.begin != before.end) {
      ++i;
      continue;
    }
    const int64_t rows = (before.end - before.begin) / before.stacked;
    check(p.end - p.begin == rows, "'{}': ranges of {} and of {} rows cannot be stacked in it",
          p.name, rows, p.end - p.begin);
    before.end = p.end;
    ++before.stacked;
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
    places.erase(places.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void Parts::buffer(std::string_view name, Tensor& tensor) {
  Parameter& p = add(name, tensor);
  if (tensor.requires_grad())
    fail(
        "the buffer '{}' is {}: a buffer is never trained and has no history; detach() it, or list "
        "it as a parameter",
        p.name, describe(tensor));
  p.buffer = true;
  p.init = Init::keep;
  p.decays = false;
}

void Parts::tied(std::string_view name, Tensor& parameter) { add(name, parameter).tied = true; }

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
  std::vector<Parameter> list = parts.list;
  for (Parameter& p : list)  // a second name of a buffer is one
    if (p.tied) p.buffer = by_leaf[p.leaf.impl().get()][0]->buffer;
  return list;
}

int64_t count_parameters(const ParameterList& list) {
  int64_t count = 0;
  for (const Parameter& p : list)
    if (!p.tied && !p.buffer) count += p.numel();
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

namespace {

// None of the list's names matches; some that are there, to find the mistake by.
[[noreturn]] void fail_without_match(const char* what, const ParameterList& list,
                                     std::string_view pattern) {
  std::vector<std::string> names;
  for (const Parameter& p : list)
    if (names.size() < 8 && !p.tied) names.push_back(p.name);
  fail("{}: no parameter's name matches '{}'; there are {}{}", what, pattern,
       fmt::join(names, ", "), names.size() < list.size() ? ", …" : "");
}

// Sets the mark on leaves all of whose names match.
int64_t set_trained(const ParameterList& list, std::string_view pattern, bool trained) {
  int64_t matched = 0;
  std::map<const TensorImpl*, bool> all_match;
  for (const Parameter& p : list) {
    if (p.tied || p.buffer) continue;
    const bool match = matches(p.name, pattern);
    matched += match;
    const auto [entry, is_new] = all_match.emplace(p.leaf.impl().get(), match);
    if (!is_new && entry->second != match)
      fail("the pattern '{}' {} '{}' but not all ranges of its leaf {}", pattern,
           trained ? "unfreezes" : "freezes", p.name, p.leaf.name());
  }
  if (matched == 0) fail_without_match(trained ? "unfreeze" : "freeze", list, pattern);
  for (const Parameter& p : list)
    if (Tensor leaf = p.leaf; !p.buffer && all_match[leaf.impl().get()])
      leaf.set_requires_grad(trained);
  return matched;
}

}  // namespace

ParameterList select(const ParameterList& list, std::string_view pattern) {
  std::vector<Parameter> chosen;
  for (const Parameter& p : list)
    if (matches(p.name, pattern)) chosen.push_back(p);
  if (chosen.empty()) fail_without_match("select", list, pattern);
  return chosen;
}

int64_t freeze(const ParameterList& list, std::string_view pattern) {
  return set_trained(list, pattern, false);
}
int64_t unfreeze(const ParameterList& list, std::string_view pattern) {
  return set_trained(list, pattern, true);
}

void renew_parameters(const Parts& parts, std::optional<DType> dtype) {
  const NoGrad scope;
  std::map<const TensorImpl*, Tensor> renewed;
  for (Tensor* place : parts.places) {
    Tensor& fresh = renewed[place->impl().get()];
    if (!fresh.defined()) {
      const bool is_cast = dtype && *dtype != place->dtype() && is_float(place->dtype());
      fresh = is_cast ? cast(*place, *dtype) : clone(*place);
      fresh.set_name(place->name());
      if (place->requires_grad() || place->is_frozen())
        fresh.set_requires_grad(!place->is_frozen());
    }
    *place = fresh;
  }
}

}  // namespace gradus
