// One head of attention on the table: Q, K, V, scores, probabilities, context and dQ, dK, dV, from
// matmul and softmax, equal to the fused op.
#include <cmath>

#include "gradus/ops/ops.h"

using namespace gradus;

int main() {
  const int64_t tokens = 4, d = 3;
  const auto leaf = [&](uint64_t stream) {
    return random_normal({tokens, d}, 5, stream, DType::f64).set_requires_grad();
  };
  Tensor query = leaf(1), key = leaf(2), value = leaf(3);
  // what the rest of a network would send back
  const Tensor dcontext = random_normal({tokens, d}, 5, 4, DType::f64);

  const Tensor scores = matmul(query, transpose(key)) / std::sqrt(static_cast<double>(d));
  const Tensor probabilities = softmax(scores);
  const Tensor context = matmul(probabilities, value);
  backward({context}, {dcontext});
  fmt::print("Q {}\nK {}\nV {}\n", query, key, value);
  fmt::print("scores = Q K^T / sqrt(d) {}\nprobabilities = softmax(scores) {}\ncontext = P V {}\n",
             scores, probabilities, context);
  fmt::print("dV = P^T dO {}\ndQ = dS K {}\ndK = dS^T Q {}\n", value.grad(), query.grad(),
             key.grad());

  // The fused op takes Q, K and V side by side, of any number of heads and of sequences of any
  // lengths.
  Tensor qkv = concat({query.detach(), key.detach(), value.detach()}, 1).set_requires_grad();
  const Tensor fused = attention(qkv, Ragged({tokens}), {.heads = 1});
  backward({fused}, {dcontext});
  const Tensor dqkv = concat({query.grad(), key.grad(), value.grad()}, 1);
  const double gap = norm(fused.detach() - context.detach()) + norm(qkv.grad() - dqkv);
  fmt::print("the fused op differs by {:.1e}\n", gap);
  return gap < 1e-12 ? 0 : 1;
}
