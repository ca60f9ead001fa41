// optim/: what moves parameters. ParameterArena lays the parameters of a model, and their
// gradients, each in one buffer, so that clearing, norms, the update and saving are one pass each.
// It moves a parameter's bytes and keeps its identity, storage and version: every handle stays
// good. When it ends, the leaves keep their values (and whatever gradient they have) and may go
// into another arena; a leaf may be in one at a time.
//
// A parameter that the loss did not reach (no gradient), or that is frozen, is left out of every
// pass.
#pragma once

#include <functional>

#include "gradus/nn/parts.h"

namespace gradus {

class ParameterArena {
 public:
  // A parameter: a leaf, or rows of one.
  struct Range {
    std::string name;
    Tensor leaf;
    int64_t begin, end;  // of the parameter's elements in the buffers
    Shape shape;
    bool decays, table;
    int64_t stacked;  // matrices in it, one under the other
    double rate = 1;  // times the learning rate
    size_t index;     // in ranges()
    int64_t numel() const { return end - begin; }
    // has it a gradient, and is it not frozen?
    bool updated() const { return leaf.grad().defined() && !leaf.is_frozen(); }
  };

  // Takes the parameters of the list that are not frozen. Errors, before anything is moved: no such
  // parameter; one that is not f32, is a view of a larger tensor, shares its memory with another,
  // or is in another arena.
  explicit ParameterArena(const ParameterList& list);
  ~ParameterArena();
  ParameterArena(const ParameterArena&) = delete;
  ParameterArena& operator=(const ParameterArena&) = delete;

  float* values() { return values_.write<float>(); }
  const float* gradients() const { return gradients_.data<float>(); }
  int64_t size() const { return values_.numel(); }
  const std::vector<Range>& ranges() const { return ranges_; }
  // A parameter, and its gradient as accumulated, as a tensor that shares the arena's memory.
  Tensor value(const Range& range) const { return part(values_, range); }
  Tensor gradient(const Range& range) const { return part(gradients_, range); }

  void clear_gradients() const;
  // An Error where a parameter was unfrozen since the arena was made, and would be moved by nobody.
  void check_unfrozen() const;
  // The 2-norm of all gradients there are. The same on any number of threads.
  double gradient_norm() const;
  double gradient_sum_of_squares() const;
  // The 2-norm of a parameter's place in a buffer of size() elements (values, gradients, an
  // optimizer's own).
  static double norm_of(const float* buffer, const Range& range);
  // Calls f(begin, end, range) for blocks of a range, cut by size, that cover the parameters which
  // are updated; on all threads.
  void for_each_block(
      const std::function<void(int64_t begin, int64_t end, const Range& range)>& f) const;
  // Parameters whose name matches learn at `rate` times the learning rate (layer-wise decay); decay
  // or do not, whatever their layer says. Each returns how many matched.
  int64_t set_rate(std::string_view pattern, double rate);
  int64_t set_decay(std::string_view pattern, bool decays);
  // counts a version on every leaf: their values were changed through values()
  void mark_written();

 private:
  static Tensor part(const Tensor& buffer, const Range& range) {
    return buffer.view(range.shape, contiguous_strides(range.shape), range.begin);
  }
  Tensor values_, gradients_;
  std::vector<Tensor> leaves_, frozen_;
  std::vector<Range> ranges_;
};

}  // namespace gradus
