#include "ops/table.h"

#include "base/random.h"

namespace gradus {

const OpInfos& op_table() {
  static const OpInfos table = [] {
    OpInfos all;
    for (OpInfos (*family)() :
         {arithmetic_ops, scalar_ops, unary_ops, select_ops, reduce_ops, view_ops, copy_ops, index_ops, matmul_ops, linear_ops, softmax_ops,
          gelu_ops, dropout_ops, layer_norm_ops, add_norm_ops, cross_entropy_ops, decoder_loss_ops, attention_ops})
      for (OpInfo& info : family()) all.push_back(std::move(info));
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

}  // namespace gradus
