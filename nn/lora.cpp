#include "gradus/nn/lora.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "gradus/autograd/modes.h"
#include "gradus/autograd/random.h"
#include "gradus/base/file.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

bool matches_any(const std::string& name, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches(name, pattern); });
}

}  // namespace

void LoraAdapters::begin(uint64_t seed) {
  if (options_.rank < 1) fail("LoRA: the rank is {}; it must be at least 1", options_.rank);
  const std::vector<Parameter> list = checked_parameters(parts_);
  for (const std::string& pattern : options_.targets)
    if (std::none_of(list.begin(), list.end(),
                     [&](const Parameter& p) { return matches(p.name, pattern); }))
      fail("LoRA: no parameter has a name like {}", pattern);
  std::set<const TensorImpl*> kept;
  for (size_t i = 0; i < list.size(); ++i) {
    const Parameter& p = list[i];
    if (p.tied || p.buffer) continue;
    if (matches_any(p.name, options_.also_trained)) kept.insert(p.leaf.impl().get());
    if (!matches_any(p.name, options_.targets)) continue;
    if (p.leaf.rank() != 2 || !p.name.ends_with(".weight"))
      fail("LoRA: '{}' is not the weight of a linear layer", p.name);
    const int64_t in = p.leaf.shape()[1];
    // as PEFT: He's uniform for a = sqrt(5)
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    Adapter adapter{p.name.substr(0, p.name.size() - 7),
                    cast(random_uniform({options_.rank, in}, -bound, bound, seed,
                                        hash_bytes(p.name), DType::f64),
                         p.leaf.dtype()),
                    zeros({p.end - p.begin, options_.rank}, p.leaf.dtype()), i};
    adapter.a.set_requires_grad();
    adapter.b.set_requires_grad();
    adapters_.push_back(std::move(adapter));
  }
  for (const Parameter& p : list)
    if (Tensor leaf = p.leaf; !p.buffer && !kept.contains(leaf.impl().get()))
      leaf.set_requires_grad(false);
}

Tensor LoraAdapters::sum(const Tensor& leaf) const {
  Tensors rows;
  int64_t at = 0;
  for (const Adapter& adapter : adapters_) {  // in the order of the list, which is that of the rows
    const Parameter& p = parts_.list[adapter.target];
    if (!p.leaf.same(leaf)) continue;
    if (p.begin > at) rows.push_back(slice(leaf, 0, at, p.begin));
    rows.push_back(slice(leaf, 0, p.begin, p.end) +
                   matmul(adapter.b, adapter.a) *
                       (options_.alpha / static_cast<double>(options_.rank)));
    at = p.end;
  }
  if (at < leaf.shape()[0]) rows.push_back(slice(leaf, 0, at, leaf.shape()[0]));
  return concat(rows, 0);
}

std::vector<Parameter> LoraAdapters::trained() const {
  std::vector<Parameter> list;
  for (const Adapter& adapter : adapters_) {
    // they begin at what begin() gave them
    for (const auto& [which, leaf] : {std::pair("A", adapter.a), std::pair("B", adapter.b)})
      list.push_back({.name = fmt::format("{}.lora_{}.weight", adapter.name, which),
                      .leaf = leaf,
                      .end = leaf.shape()[0],
                      .init = Init::keep});
  }
  for (const Parameter& p : parts_.list)
    if (!p.tied && !p.buffer && matches_any(p.name, options_.also_trained)) list.push_back(p);
  return list;
}

std::vector<Parameter> LoraAdapters::merged() const {
  const NoGrad scope;
  std::vector<Parameter> list = parts_.list;
  for (const Adapter& adapter : adapters_) {
    const Tensor before = parts_.list[adapter.target].leaf, after = sum(before);
    for (Parameter& p : list)
      if (p.leaf.same(before)) p.leaf = after;
  }
  return list;
}

LoraAdapters::Attached::Attached(const LoraAdapters& adapters) { attach(adapters); }

void LoraAdapters::Attached::attach(const LoraAdapters& adapters) {
  std::set<Tensor*> done;
  for (const Adapter& adapter : adapters.adapters_) {
    Tensor* place = adapters.parts_.places[adapter.target];
    if (!done.insert(place).second) continue;
    before_.emplace_back(place, *place);
    *place = adapters.sum(*place);
  }
}

LoraAdapters::Attached::~Attached() {
  for (auto& [place, tensor] : before_) *place = tensor;
}

}  // namespace gradus
