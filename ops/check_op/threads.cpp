// One thread = n threads, bit for bit, forward and backward, GEMM included: on every sample, and on
// inputs so large that an op that cuts its work into blocks cuts it (past element_block elements,
// past rows_per_block rows, past GEMM's panels), none of their sizes a multiple of a block or a
// vector.
#include "gradus/base/parallel.h"
#include "gradus/ops/check_op/part.h"
#include "gradus/ops/check_op/runs.h"
#include "gradus/ops/elementwise.h"

namespace gradus::op_check {
namespace {

bool same_on_all(const Function& f, Inputs xs, int most) {
  const auto with = [&](int threads) {
    const Threads scope(threads);
    return run(f, xs);
  };
  const Run one = with(1);
  for (int threads = 2; threads <= most; ++threads)
    if (!same_bits(with(threads), one)) return false;
  return true;
}

// The sample with its last axis some 300 long and the others so that there are some 70,000 elements
// or more. Its values repeat, so indices and labels stay legal.
Tensors enlarged(const Sample& sample) {
  if (sample.inputs.empty()) return {};
  const Shape shape = sample.inputs[0].shape();
  if (shape.rank() == 0) return sample.inputs;
  std::map<int64_t, int64_t> sizes;
  for (const Tensor& x : sample.inputs)
    for (const int64_t size : x.shape())
      if (size > 1) sizes[size] = shape.rank() < 3 ? 259 : 17;
  int64_t last = 61;
  if (shape.rank() < 4) last = 301;
  if (shape.rank() < 2) last = 2 * element_block + 4001;
  sizes[shape[-1]] = last;
  return resized(sample.inputs, sizes);
}

}  // namespace

void check_threads(Part& part) {
  const OpInfo& info = part.info;
  part.each_sample([&](const Sample& sample) {
    for (const DType dtype : {DType::f64, DType::f32})
      part.expect(same_on_all(sample.call, as_dtype(sample.inputs, dtype), 4),
                  "sample '{}', {}: other bits on 2 to 4 threads than on one", sample.note,
                  to_string(dtype));
  });
  int large = 0;
  part.each_sample([&](const Sample& sample) {
    try {
      const Tensors xs = as_dtype(enlarged(sample), DType::f32);
      if (xs.empty() || xs[0].numel() < element_block) return;
      if (sample.call(xs)[0].numel() > 64 * element_block) return;  // large enough is enough
      part.expect(same_on_all(sample.call, xs, 3),
                  "sample '{}' made large: other bits on 2 or 3 threads than on one", sample.note);
      ++large;
    } catch (const Error&) {  // the call has sizes of its own: OpInfo::large
    }
  });
  for (const Sample& sample : info.large)
    part.run("large '" + sample.note + "'", [&] {
      part.expect(same_on_all(sample.call, sample.inputs, 3),
                  "large '{}': other bits on 2 or 3 threads than on one", sample.note);
      ++large;
    });
  if (!large)
    part.wrong(
        "no sample can be made so large that threads share the work; give such calls in "
        "OpInfo::large");
  part.note(fmt::format(" ({} large)", large));
}

}  // namespace gradus::op_check
