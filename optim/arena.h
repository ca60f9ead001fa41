// optim/: what moves parameters. ParameterArena lays the parameters of a model, and their
// gradients, each in one buffer, so that clearing, norms, the update and saving are one pass each.
// It moves a parameter's bytes and keeps its identity, storage and version: every handle stays
// good.
//
// A parameter that the loss did not reach (no gradient), or that is frozen, is left out of every
// pass.
#pragma once

#include <functional>

#include "gradus/nn/parts.h"

namespace gradus {

class ParameterArena {
 public:
  struct Range {
    std::string name;
    Tensor leaf;
    int64_t begin, end;  // of the parameter's elements in the buffers
    bool decays;
    double rate = 1;  // times the learning rate
  };

  // Parameters whose name matches a pattern of `no_decay` do not decay. A leaf may be in one arena
  // only.
  ParameterArena(const std::vector<Parameter>& list, const std::vector<std::string>& no_decay);

  float* values() { return values_.write<float>(); }
  const float* gradients() const { return gradients_.data<float>(); }
  int64_t size() const { return values_.numel(); }
  const std::vector<Range>& ranges() const { return ranges_; }

  void clear_gradients() const;
  // The 2-norm of all gradients there are. The same on any number of threads.
  double gradient_norm() const;
  // The 2-norm of a parameter's place in a buffer of size() elements (values, gradients, an
  // optimizer's own).
  static double norm_of(const float* buffer, const Range& range);
  // Calls f(begin, end, range) for blocks of a range, cut by size, that cover the parameters which
  // have a gradient; on all threads.
  void for_each_block(
      const std::function<void(int64_t begin, int64_t end, const Range& range)>& f) const;
  // Parameters whose name matches learn at `rate` times the learning rate (layer-wise decay).
  // Returns how many matched.
  int64_t set_rate(std::string_view pattern, double rate);
  // counts a version on every leaf: their values were changed through values()
  void mark_written();

 private:
  Tensor values_, gradients_;
  std::vector<Tensor> leaves_;
  std::vector<Range> ranges_;
};

}  // namespace gradus
