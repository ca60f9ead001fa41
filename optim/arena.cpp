#include "gradus/optim/arena.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "gradus/autograd/modes.h"
#include "gradus/base/parallel.h"
#include "gradus/kernels/kernels.h"

namespace gradus {
namespace {
constexpr int64_t block = 1 << 16;  // elements a thread updates at once
constexpr int64_t alignment = 16;   // elements: each leaf begins on a cache line
}  // namespace

ParameterArena::ParameterArena(const ParameterList& list) {
  std::map<const TensorImpl*, int64_t> place;
  std::map<const Storage*, std::string> owner;
  int64_t total = 0;
  for (const Parameter& p : list) {
    if (p.tied || p.buffer || place.contains(p.leaf.impl().get())) continue;
    const TensorImpl& leaf = p.leaf.get();
    if (leaf.frozen) {
      frozen_.push_back(p.leaf);
      continue;
    }
    if (!p.leaf.is_leaf())
      fail("the optimizer was given '{}', which is {} and no leaf that wants a gradient", p.name,
           describe(p.leaf));
    if (leaf.dtype != DType::f32)
      fail("the optimizer updates f32 parameters; '{}' is {}", p.name, to_string(leaf.dtype));
    if (leaf.grad_slot)
      fail(
          "'{}' belongs to another optimizer already, and two would move it; end that one first, "
          "or "
          "give each its own parameters",
          p.name);
    if (!p.leaf.is_contiguous() ||
        leaf.storage->bytes != static_cast<size_t>(p.leaf.numel()) * sizeof(float))
      fail(
          "the parameter '{}' is a view of a larger tensor; an optimizer moves whole ones: clone() "
          "it in the layer's constructor",
          p.name);
    const auto [first, is_new] = owner.emplace(leaf.storage.get(), p.name);
    if (!is_new)
      fail(
          "'{}' and '{}' are different parameters in the same memory; clone() one, or list the "
          "same "
          "Tensor under both names with p.tied()",
          first->second, p.name);
    place[p.leaf.impl().get()] = total;
    leaves_.push_back(p.leaf);
    total += (p.leaf.numel() + alignment - 1) / alignment * alignment;
  }
  check(total > 0, "the optimizer was given no parameter that wants a gradient");
  values_ = zeros({total});
  gradients_ = zeros({total});
  for (const Tensor& leaf : leaves_) {
    const int64_t at = place[leaf.impl().get()];
    Storage& storage = *leaf.get().storage;
    char* target = values_.get().storage->data + at * static_cast<int64_t>(sizeof(float));
    std::memcpy(target, leaf.data<float>(), static_cast<size_t>(leaf.numel()) * sizeof(float));
    storage.memory = values_.get().storage->memory;
    storage.data = target - leaf.offset() * static_cast<int64_t>(sizeof(float));
    const Tensor before = leaf.grad();  // goes along
    leaf.clear_grad();
    leaf.get().grad_slot = gradients_.view(leaf.shape(), leaf.strides(), at).impl();
    if (before.defined()) leaf.set_grad(before);
  }
  for (const Parameter& p : list) {
    const auto found = place.find(p.leaf.impl().get());
    if (p.tied || found == place.end()) continue;
    const int64_t row = p.leaf.rank() ? p.leaf.strides()[0] : 1;
    ranges_.push_back({.name = p.name,
                       .leaf = p.leaf,
                       .begin = found->second + p.begin * row,
                       .end = found->second + p.end * row,
                       .shape = p.view().shape(),
                       .decays = p.decays,
                       .table = p.table,
                       .stacked = p.stacked,
                       .index = 0});
  }
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  for (size_t i = 0; i < ranges_.size(); ++i) ranges_[i].index = i;
}

// The leaves' storage holds the memory of the values, and their gradients that of gradients_.
ParameterArena::~ParameterArena() {
  for (const Tensor& leaf : leaves_) leaf.get().grad_slot = nullptr;
}

void ParameterArena::clear_gradients() const {
  for (const Tensor& leaf : leaves_) leaf.clear_grad();
}

void ParameterArena::check_unfrozen() const {
  for (const Tensor& leaf : frozen_)
    if (!leaf.is_frozen() && leaf.grad().defined() && !leaf.get().grad_slot)
      fail(
          "'{}' was frozen when the optimizer was made and is trained now, by no optimizer; make "
          "the optimizer after unfreeze()",
          leaf.name());
}

void ParameterArena::for_each_block(
    const std::function<void(int64_t, int64_t, const Range&)>& f) const {
  struct Block {
    int64_t begin, end;
    const Range* range;
  };
  std::vector<Block> blocks;
  for (const Range& range : ranges_) {
    if (!range.updated()) continue;
    for (int64_t begin = range.begin; begin < range.end; begin += block)
      blocks.push_back({begin, std::min(begin + block, range.end), &range});
  }
  parallel_for(static_cast<int64_t>(blocks.size()), 1, [&](int64_t i, int64_t) {
    const Block& b = blocks[static_cast<size_t>(i)];
    f(b.begin, b.end, *b.range);
  });
}

double ParameterArena::norm_of(const float* buffer, const Range& range) {
  return std::sqrt(parallel_sum(range.end - range.begin, block, [&](int64_t begin, int64_t end) {
    return kernels<float>().sum_of_squares(buffer + range.begin + begin, end - begin);
  }));
}

double ParameterArena::gradient_sum_of_squares() const {
  double sum = 0;
  for (const Range& range : ranges_)
    if (range.updated()) sum += std::pow(norm_of(gradients(), range), 2);
  return sum;
}

double ParameterArena::gradient_norm() const { return std::sqrt(gradient_sum_of_squares()); }

int64_t ParameterArena::set_rate(std::string_view pattern, double rate) {
  int64_t matched = 0;
  for (Range& range : ranges_)
    if (matches(range.name, pattern)) range.rate = rate, ++matched;
  return matched;
}

int64_t ParameterArena::set_decay(std::string_view pattern, bool decays) {
  int64_t matched = 0;
  for (Range& range : ranges_)
    if (matches(range.name, pattern)) range.decays = decays, ++matched;
  return matched;
}

void ParameterArena::mark_written() {
  for (const Tensor& leaf : leaves_) ++leaf.get().storage->version;
}

}  // namespace gradus
