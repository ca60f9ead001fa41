#include "gradus/ops/table.h"

#include "gradus/base/file.h"
#include "gradus/base/random.h"

namespace gradus {

#define GRADUS_OP_FILE(file) OpInfos file##_ops();
#include "op_files.inc"
#undef GRADUS_OP_FILE

const OpInfos& op_table() {
  static const OpInfos table = [] {
    OpInfos all;
    const auto append = [&](const char* file, OpInfos infos) {
      for (OpInfo& info : infos) {
        info.file = file;
        all.push_back(std::move(info));
      }
    };
#define GRADUS_OP_FILE(file) append(#file, file##_ops());
#include "op_files.inc"
#undef GRADUS_OP_FILE
    return all;
  }();
  return table;
}

Tensor sample_indices(const Shape& shape, int64_t below, uint64_t stream, DType dtype) {
  Random random(11, stream);
  Tensor x = Tensor::empty(shape, dtype);
  dispatch(dtype, [&]<class T>() {
    T* at = x.write<T>();
    for (int64_t i = 0; i < x.numel(); ++i) at[i] = static_cast<T>(random.below(below));
  });
  return x;
}

namespace sample {
SampleInput normal(const Shape& shape) {
  return SampleInput([=](uint64_t stream) { return sample_normal(shape, stream); });
}
SampleInput uniform(const Shape& shape, double low, double high) {
  return SampleInput([=](uint64_t stream) { return sample_uniform(shape, low, high, stream); });
}
SampleInput indices(const Shape& shape, int64_t below, DType dtype) {
  return SampleInput([=](uint64_t stream) { return sample_indices(shape, below, stream, dtype); });
}
}  // namespace sample

Sample::Sample(std::string note_, const SampleInputs& inputs_, Function call_)
    : note(std::move(note_)), inputs(inputs_.given), call(std::move(call_)) {
  uint64_t stream = hash_bytes(note);
  for (const SampleInput& input : inputs_.to_draw) inputs.push_back(input.draw(stream++));
}

}  // namespace gradus
