// One thread = n threads, bit for bit, forward and backward, GEMM included: on every sample, and on
// inputs so large that every op that cuts its work into blocks cuts it (past element_block
// elements, past rows_per_block rows, past GEMM's panels), none of their sizes a multiple of a
// block or a vector.
#include <set>

#include "gradus/ops/elementwise.h"
#include "tests/ops/samples.h"

namespace gradus::testing {
namespace {

bool same_on_all(const Function& f, Inputs xs) {
  const auto with = [&](int threads) {
    const Threads scope(threads);
    return run(f, xs);
  };
  const Run one = with(1);
  return same_bits(with(2), one) && same_bits(with(3), one);
}

// The sample with its last axis some 300 long and the others so that there are some 70,000 elements
// or more. Its values repeat, so indices and labels stay legal.
Tensors enlarged(const Sample& sample) {
  const Shape shape = sample.inputs[0].shape();
  if (shape.rank() == 0) return sample.inputs;
  std::map<int64_t, int64_t> sizes;
  for (const Tensor& x : sample.inputs)
    for (const int64_t size : x.shape())
      if (size > 1) sizes[size] = shape.rank() < 3 ? 259 : 17;
  sizes[shape[-1]] = shape.rank() < 2 ? 2 * element_block + 4001 : shape.rank() < 4 ? 301 : 61;
  return resized(sample.inputs, sizes);
}

}  // namespace

TEST_CASE("threads: samples give the same bits on 1, 2 and 3 threads") {
  for_each_sample([](const OpInfo& info, const Sample& sample) {
    for (const DType dtype : {DType::f64, DType::f32})
      CHECK_MESSAGE(same_on_all(sample.call, as_dtype(sample.inputs, dtype)), info.name, ", ",
                    sample.note);
  });
}

TEST_CASE("threads: large inputs give the same bits on 1, 2 and 3 threads") {
  std::set<std::string> large;
  for_each_sample([&](const OpInfo& info, const Sample& sample) {
    const Tensors xs = as_dtype(enlarged(sample), DType::f32);
    if (xs[0].numel() < element_block) return;
    try {
      if (sample.call(xs)[0].numel() > 64 * element_block) return;  // large enough is enough
      const bool same = same_on_all(sample.call, xs);
      CHECK_MESSAGE(same, info.name, ", ", sample.note, " made large");
      large.insert(info.name);
    } catch (const Error&) {  // the call has sizes of its own: below
    }
  });

  const auto normal = [](const Shape& shape, uint64_t stream) {
    return random_normal(shape, 3, stream);
  };
  const Ragged sequences({130, 1, 257, 64}, 1);
  const int64_t tokens = sequences.tokens();
  // clang-format off: a table, a row a call
  const std::vector<std::pair<std::string, Sample>> more{
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
  for (const auto& entry : more) {
    CHECK_MESSAGE(same_on_all(entry.second.call, entry.second.inputs), entry.first, " ",
                  entry.second.note);
    large.insert(entry.first);
  }
  for (const OpInfo& info : op_table())
    CHECK_MESSAGE(large.contains(info.name), info.name, " ran on no large input");
}

}  // namespace gradus::testing
