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
      {"pad",
       {"",
        {normal({301, 257}, 30)},
        [](Inputs in) {
          return Tensors{pad(in[0], {{1, 2}, {3, 0}}), pad(in[0], 0, {0, 1, 1}, 2)};
        }}},
      {"split",
       {"",
        {normal({301, 257}, 31)},
        [](Inputs in) {
          Tensors parts = split(in[0], {100, 201}, 0);
          for (const Tensor& part : chunk(in[0], 40, 1)) parts.push_back(part * part);
          return parts;
        }}},
      {"index_put",
       {"",
        {normal({997, 301}, 32), sample_indices({411}, 997, 3), normal({411, 301}, 33)},
        [](Inputs in) { return Tensors{index_put(in[0], in[1], in[2])}; }}},
      {"index_add",
       {"narrow rows, many to each",
        {normal({97, 3}, 34), sample_indices({40001}, 97, 4), normal({40001, 3}, 35)},
        [](Inputs in) { return Tensors{index_add(in[0], in[1], in[2])}; }}},
      {"scatter_rows",
       {"",
        {normal({411, 301}, 36), sample_indices({411}, 997, 5)},
        [](Inputs in) { return Tensors{scatter_rows(in[0], in[1], 997)}; }}},
      {"scatter",
       {"",
        {normal({301, 257}, 37), sample_indices({301, 257}, 64, 6)},
        [](Inputs in) {
          return Tensors{scatter(in[0], 1, in[1], 64), scatter(in[0], 0, in[1], 64)};
        }}},
      {"topk",
       {"",
        {normal({301, 257}, 38)},
        [](Inputs in) {
          return Tensors{topk(in[0], 19).values, topk(in[0], 7, 0).values};
        }}},
      {"one_hot",
       {"",
        {normal({1}, 39), sample_indices({1301}, 97, 7)},
        [](Inputs in) { return Tensors{one_hot(in[1], 97) * in[0]}; }}},
      {"segment_sum",
       {"",
        {normal({tokens, 301}, 40)},
        [=](Inputs in) { return Tensors{segment_sum(in[0], sequences)}; }}},
      {"segment_mean",
       {"",
        {normal({tokens, 301}, 41)},
        [=](Inputs in) { return Tensors{segment_mean(in[0], sequences)}; }}},
      {"segment_max",
       {"",
        {normal({tokens, 301}, 42)},
        [=](Inputs in) { return Tensors{segment_max(in[0], sequences)}; }}},
      {"segment_expand",
       {"",
        {normal({4, 301}, 43)},
        [=](Inputs in) { return Tensors{segment_expand(in[0], sequences)}; }}},
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
      {"attention",
       {"key-value heads, window, cross",
        {normal({tokens, 4 * 16}, 27), normal({tokens, 2 * 16}, 28), normal({tokens, 2 * 16}, 29)},
        [=](Inputs in) {
          return Tensors{attention(in[0], in[1], in[2], sequences,
                                   {.heads = 4,
                                    .kv_heads = 2,
                                    .dropout = 0.1,
                                    .window = 70,
                                    .key_sequences = Ragged({64, 130, 200, 58})})};
        }}},
      {"attention",
       {"bias, slopes",
        {normal({tokens, 3 * 48}, 30), normal({3, 257, 257}, 31)},
        [=](Inputs in) {
          return Tensors{attention(
              in[0], sequences,
              {.heads = 3, .causal = true, .alibi_slopes = alibi_slopes(3), .bias = in[1]})};
        }}},
      {"rotary",
       {"",
        {normal({tokens, 300}, 32)},
        [=](Inputs in) {
          return Tensors{rotary(in[0], sequences, {.heads = 3}),
                         rotary(in[0], sequences, {.heads = 5, .interleaved = true})};
        }}},
      {"unfold",
       {"conv1d",
        {normal({tokens, 129}, 33), normal({65, 129, 3}, 34), normal({65}, 35)},
        [=](Inputs in) {
          return Tensors{conv1d(in[0], in[1], in[2], sequences),
                         conv1d(in[0], in[1], in[2], sequences, {.stride = 2, .dilation = 3})};
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
