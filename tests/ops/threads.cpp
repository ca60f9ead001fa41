// Large calls for check_op's part "threads", of the ops whose samples cannot be enlarged: a row a
// call. (An op may as well list its own, in OpInfo::large.)
#include "gradus/ops/elementwise.h"
#include "tests/ops/large.h"
#include "tests/ops/samples.h"

namespace gradus::testing {

std::vector<std::pair<std::string, Sample>> large_samples() {
  const auto normal = [](const Shape& shape, uint64_t stream) {
    return random_normal(shape, 3, stream);
  };
  const Ragged sequences({130, 1, 257, 64}, 1);
  const int64_t tokens = sequences.tokens();
  // clang-format off: a table, a row a call
  std::vector<std::pair<std::string, Sample>> more{
      {"reshape",
       {"",
        {normal({260, 300}, 1)},
        [](Inputs in) {
          return Tensors{reshape(transpose(in[0]), {100, -1})};
        }}},
      {"expand",
       {"",
        {normal({301, 1}, 2)},
        [](Inputs in) {
          return Tensors{expand(in[0], {3, 301, 257})};
        }}},
      {"slice",
       {"",
        {normal({301, 257}, 3)},
        [](Inputs in) {
          return Tensors{slice(in[0], 0, 3, 290), slice(in[0], 1, 1, 250)};
        }}},
      {"sum",
       {"all, first, last",
        {normal({301, 257}, 4)},
        [](Inputs in) {
          return Tensors{sum(in[0]), sum(in[0], {0}), sum(in[0], {1})};
        }}},
      {"sum",
       {"middle of three",
        {normal({17, 301, 29}, 5)},
        [](Inputs in) {
          return Tensors{sum(in[0], {1}), sum(in[0], {0, 2})};
        }}},
      {"dropout",
       {"",
        {normal({tokens, 301}, 6)},
        [=](Inputs in) { return Tensors{dropout(in[0], 0.1, sequences)}; }}},
      {"add_norm",
       {"",
        {normal({tokens, 301}, 7), normal({tokens, 301}, 8), normal({301}, 9), normal({301}, 10)},
        [=](Inputs in) {
          return Tensors{add_norm(in[0], in[1], in[2], in[3], 1e-12, 0.1, sequences)};
        }}},
      {"attention",
       {"",
        {normal({tokens, 3 * 48}, 11)},
        [=](Inputs in) {
          return Tensors{attention(in[0], sequences, {.heads = 3, .dropout = 0.1})};
        }}},
      {"attention",
       {"causal",
        {normal({tokens, 3 * 48}, 12)},
        [=](Inputs in) {
          return Tensors{attention(in[0], sequences, {.heads = 3, .causal = true})};
        }}},
      {"matmul",
       {"panels",
        {normal({1100, 301}, 13), normal({301, 530}, 14)},
        [](Inputs in) { return Tensors{matmul(in[0], in[1])}; }}},
      {"matmul",
       {"many",
        {normal({40, 33, 65}, 15), normal({40, 65, 31}, 16)},
        [](Inputs in) { return Tensors{matmul(in[0], in[1])}; }}},
      {"linear",
       {"tall",
        {normal({2100, 130}, 17), normal({70, 130}, 18), normal({70}, 19)},
        [](Inputs in) { return Tensors{linear(in[0], in[1], in[2])}; }}},
      {"linear",
       {"wide",
        {normal({65, 130}, 20), normal({2100, 130}, 21), normal({2100}, 22)},
        [](Inputs in) { return Tensors{linear(in[0], in[1], in[2])}; }}},
      {"decoder_loss",
       {"",
        {normal({301, 65}, 23), normal({3001, 65}, 24), normal({3001}, 25),
         sample_indices({301}, 3001, 1)},
        [](Inputs in) {
          return Tensors{decoder_loss(in[0], in[1], in[2], in[3], 301, 128).loss};
        }}},
      {"take",
       {"",
        {normal({997, 301}, 26), sample_indices({411}, 997, 2)},
        [](Inputs in) { return Tensors{take(in[0], in[1])}; }}},
  };
  // clang-format on
  return more;
}

}  // namespace gradus::testing
