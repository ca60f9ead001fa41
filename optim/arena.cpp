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

ParameterArena::ParameterArena(const std::vector<Parameter>& list,
                               const std::vector<std::string>& no_decay) {
  std::map<const TensorImpl*, int64_t> place;
  int64_t total = 0;
  for (const Parameter& p : list) {
    if (p.tied || !p.leaf.is_leaf() || place.contains(p.leaf.impl().get())) continue;
    if (p.leaf.dtype() != DType::f32)
      fail("the optimizer updates f32 parameters; '{}' is {}", p.name, to_string(p.leaf.dtype()));
    if (p.leaf.get().grad_slot) fail("'{}' belongs to another optimizer already", p.name);
    place[p.leaf.impl().get()] = total;
    leaves_.push_back(p.leaf);
    total += (p.leaf.numel() + alignment - 1) / alignment * alignment;
  }
  check(total > 0, "the optimizer was given no parameter that wants a gradient");
  values_ = zeros({total});
  gradients_ = zeros({total});
  for (const Tensor& leaf : leaves_) {
    const int64_t at = place[leaf.impl().get()];
    check(leaf.is_contiguous(), "the parameter '{}' is a view; an optimizer needs contiguous ones",
          leaf.name());
    Storage& storage = *leaf.get().storage;
    char* target = values_.get().storage->data + at * static_cast<int64_t>(sizeof(float));
    std::memcpy(target, leaf.data<float>(), static_cast<size_t>(leaf.numel()) * sizeof(float));
    storage.memory = values_.get().storage->memory;
    storage.data = target - leaf.offset() * static_cast<int64_t>(sizeof(float));
    leaf.get().grad = nullptr;
    leaf.get().grad_slot = gradients_.view(leaf.shape(), leaf.strides(), at).impl();
  }
  for (const Parameter& p : list) {
    const auto found = place.find(p.leaf.impl().get());
    if (p.tied || found == place.end()) continue;
    const bool decays =
        std::none_of(no_decay.begin(), no_decay.end(),
                     [&](const std::string& pattern) { return matches(p.name, pattern); });
    const int64_t row = p.leaf.rank() ? p.leaf.strides()[0] : 1;
    ranges_.push_back(
        {p.name, p.leaf, found->second + p.begin * row, found->second + p.end * row, decays, 1});
  }
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
}

void ParameterArena::clear_gradients() const {
  for (const Tensor& leaf : leaves_) leaf.clear_grad();
}

void ParameterArena::for_each_block(
    const std::function<void(int64_t, int64_t, const Range&)>& f) const {
  struct Block {
    int64_t begin, end;
    const Range* range;
  };
  std::vector<Block> blocks;
  for (const Range& range : ranges_) {
    if (!range.leaf.grad().defined()) continue;
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

double ParameterArena::gradient_norm() const {
  double sum = 0;
  for (const Range& range : ranges_)
    if (range.leaf.grad().defined()) sum += std::pow(norm_of(gradients(), range), 2);
  return std::sqrt(sum);
}

int64_t ParameterArena::set_rate(std::string_view pattern, double rate) {
  int64_t matched = 0;
  for (Range& range : ranges_)
    if (matches(range.name, pattern)) range.rate = rate, ++matched;
  return matched;
}

void ParameterArena::mark_written() {
  for (const Tensor& leaf : leaves_) ++leaf.get().storage->version;
}

}  // namespace gradus
