// Values of the ops of shape, choice and index: gradients follow from the table's samples, but not
// that an op computes what its name says. Literals, or loops written out.
#include <cmath>
#include <limits>

#include "gradus/autograd/gradcheck.h"
#include "tests/ops/samples.h"
#include "tests/support.h"

namespace gradus::testing {
namespace {

using Values = std::vector<double>;
Values values(const Tensor& x) { return x.to_vector<double>(); }
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
Tensor ints(std::initializer_list<Nested> literal) { return tensor(literal, DType::i64); }

}  // namespace

TEST_CASE("values: slices with a step, and padding") {
  const Tensor x = tensor({{0, 1, 2, 3, 4}, {5, 6, 7, 8, 9}});
  CHECK(values(slice(x, 1, 0, 5, 2)) == Values{0, 2, 4, 5, 7, 9});
  CHECK(values(slice(x, 1, 1, 5, 3)) == Values{1, 4, 6, 9});
  CHECK(slice(x, 1, 2, 2, 3).shape() == Shape{2, 0});
  CHECK(values(pad(tensor({{1, 2}, {3, 4}}), {{1, 0}, {0, 1}}, 9)) ==
        Values{9, 9, 9, 1, 2, 9, 3, 4, 9});
  CHECK(values(pad(tensor({1, 2, 3}), 0, {1, 2, 1})) == Values{0, 1, 0, 2, 0, 3, 0, 0});
  CHECK(values(pad(zeros({0}), 0, {2, 1}, 5)) == Values{5, 5, 5});
  CHECK(values(pad(ints({1}), 0, {0, 1}, -7)) == Values{1, -7});
}

TEST_CASE("values: split, chunk, unbind, concat and stack") {
  const Tensor x = reshape(arange(12, DType::f32), {3, 4});
  const Tensors sizes = split(x, {1, 0, 3}, 1), parts = split(x, 3, 0), one = split(x, {3}, 0);
  CHECK(sizes.size() == 3);
  CHECK(values(sizes[0]) == Values{0, 4, 8});
  CHECK(sizes[1].shape() == Shape{3, 0});
  CHECK(values(sizes[2]) == Values{1, 2, 3, 5, 6, 7, 9, 10, 11});
  CHECK(values(parts[1]) == Values{4, 5, 6, 7});
  CHECK(one.size() == 1);  // {3} is a list of sizes, 3 a number of parts
  CHECK(values(concat(sizes, 1)) == values(x));
  const Tensors chunks = chunk(arange(10), 4, 0);  // of 3, as PyTorch cuts
  CHECK(chunks.size() == 4);
  CHECK(values(chunks[3]) == Values{9});
  CHECK(chunk(arange(2), 5, 0).size() == 2);
  const Tensors columns = unbind(x, -1);
  CHECK(columns.size() == 4);
  CHECK(columns[2].shape() == Shape{3});
  CHECK(values(columns[2]) == Values{2, 6, 10});
  CHECK(values(stack(columns, 1)) == values(x));
  CHECK(stack(columns, -1).shape() == Shape{3, 4});
  CHECK(stack({scalar(1), scalar(2)}).shape() == Shape{2});
  CHECK(unbind(zeros({0, 2})).empty());
  CHECK(sizes[2].get().storage == x.get().storage);  // views
}

TEST_CASE("values: rows and elements by number, met twice") {
  const Tensor x = tensor({{1, 2}, {3, 4}, {5, 6}}), y = tensor({{10, 20}, {30, 40}, {50, 60}});
  const Tensor rows = ints({2, 0, 2});
  CHECK(values(take(x, rows)) == Values{5, 6, 1, 2, 5, 6});
  CHECK(values(scatter_rows(y, rows, 4)) == Values{30, 40, 0, 0, 60, 80, 0, 0});
  CHECK(values(index_add(x, rows, y)) == Values{31, 42, 3, 4, 65, 86});
  CHECK(values(index_put(x, rows, y)) == Values{30, 40, 3, 4, 50, 60});  // the last one stays
  CHECK(values(index_put(x, ints({1}), scalar(7))) == Values{1, 2, 7, 7, 5, 6});
  CHECK(values(x) == Values{1, 2, 3, 4, 5, 6});
  CHECK(values(gather(x, 1, ints({{1}, {0}, {1}}))) == Values{2, 3, 6});
  CHECK(values(gather(x, 0, ints({{2, 0}}))) == Values{5, 2});
  CHECK(values(scatter(x, 0, ints({{1, 0}, {1, 1}, {0, 1}}), 2)) == Values{5, 2, 4, 10});
  CHECK(values(scatter_add(x, 1, ints({{0}, {1}, {1}}), ones({3, 1}))) == Values{2, 2, 3, 5, 5, 7});
  CHECK(values(one_hot(ints({2, 0}), 3)) == Values{0, 0, 1, 1, 0, 0});
  CHECK(values(scatter(full({5}, 1, DType::i64), 0, ints({1, 1, 0, 1, 2}), 3)) == Values{1, 3, 1});
}

TEST_CASE("values: order is stable, and NaN is the largest") {
  const Tensor x = tensor({2, nan, 1, 2, 1});
  CHECK(values(argsort(x)) == Values{2, 4, 0, 3, 1});
  CHECK(values(argsort(x, 0, true)) == Values{1, 0, 3, 2, 4});
  CHECK(values(slice(sort(x).values, 0, 0, 4)) == Values{1, 1, 2, 2});
  const Ranked two = topk(tensor({{1, 5, 3}, {9, 7, 9}}), 2);
  CHECK(values(two.values) == Values{5, 3, 9, 9});
  CHECK(values(two.indices) == Values{1, 2, 0, 2});
  const Ranked down = topk(tensor({{1, 5}, {9, 7}, {4, 8}}), 1, 0);
  CHECK(values(down.values) == Values{9, 8});
  CHECK(down.values.shape() == Shape{1, 2});
  CHECK(topk(ones({2, 3}), 0).values.shape() == Shape{2, 0});
  CHECK(sort(zeros({0})).values.shape() == Shape{0});
  // against a sort of its own, with many equal keys
  const Tensor keys = sample_indices({1000}, 17, 1);
  std::vector<int64_t> order(1000);
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  const auto at = keys.to_vector<int64_t>();
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return at[static_cast<size_t>(a)] < at[static_cast<size_t>(b)];
  });
  CHECK(argsort(keys).to_vector<int64_t>() == order);
  CHECK(argsort(cast(keys, DType::i64)).to_vector<int64_t>() == order);
  for (const DType dtype : {DType::f64, DType::f32}) {
    const Tensor normal = cast(sample_normal({999}, 2), dtype);
    Values ascending = values(normal);
    std::sort(ascending.begin(), ascending.end());
    CHECK(values(sort(normal).values) == ascending);
    std::reverse(ascending.begin(), ascending.end());
    CHECK(values(sort(normal, 0, true).values) == ascending);
    ascending.resize(100);
    CHECK(values(topk(normal, 100).values) == ascending);
    ascending.resize(7);
    CHECK(values(topk(normal, 7).values) == ascending);
  }
  CHECK(values(argsort(tensor({0, -0.0, -INFINITY, INFINITY, nan, -1}))) ==
        Values{2, 5, 0, 1, 3, 4});
}

TEST_CASE("values: running sums, triangles and segments") {
  CHECK(values(cumsum(tensor({{1, 2, 3}, {4, 5, 6}}), 1)) == Values{1, 3, 6, 4, 9, 15});
  CHECK(values(cumsum(tensor({{1, 2, 3}, {4, 5, 6}}), 0)) == Values{1, 2, 3, 5, 7, 9});
  CHECK(values(cumsum(ints({1, 2, -3}), 0)) == Values{1, 3, 0});
  const Tensor x = reshape(arange(6, DType::f32) + 1, {2, 3});
  CHECK(values(tril(x)) == Values{1, 0, 0, 4, 5, 0});
  CHECK(values(tril(x, 1)) == Values{1, 2, 0, 4, 5, 6});
  CHECK(values(triu(x)) == Values{1, 2, 3, 0, 5, 6});
  CHECK(values(triu(x, -1)) == values(x));
  CHECK(values(triu(x, 9)) == Values(6, 0.0));
  CHECK(values(tril(full({2, 2}, nan), -2)) == Values(4, 0.0));  // what is cut off is not read
  const Ragged sequences({2, 1, 3});
  const Tensor t = tensor({{1, 9}, {3, 8}, {5, -1}, {2, 4}, {2, 6}, {1, 5}});
  CHECK(values(segment_sum(t, sequences)) == Values{4, 17, 5, -1, 5, 15});
  CHECK(values(segment_mean(t, sequences)) == values(tensor({{2, 8.5}, {5, -1}, {5.0 / 3, 5}})));
  CHECK(values(segment_max(t, sequences)) == Values{3, 9, 5, -1, 2, 6});
  CHECK(std::isnan(segment_max(tensor({1, nan, 2, 0, 0, 0}), sequences).to_vector<double>()[0]));
  CHECK(values(segment_expand(ints({7, 8, 9}), sequences)) == Values{7, 7, 8, 9, 9, 9});
  CHECK(segment_mean(zeros({0, 4}), Ragged({})).shape() == Shape{0, 4});
  // the gradient of a maximum goes to the first of equals
  const Tensor leaf = t.detach().set_requires_grad();
  CHECK(values(grad(sum(segment_max(leaf, sequences)), {leaf})[0]) ==
        Values{0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 0, 0});
}

TEST_CASE("values: comparisons with numbers are exact, and no chain passes in silence") {
  const Tensor x = tensor({0.1, 2, nan}), i = ints({1, 2, 3});
  CHECK(values(equal(x, 0.1)) == Values{1, 0, 0});  // as the dtype has it
  CHECK(values(not_equal(x, 2)) == Values{1, 0, 1});
  CHECK(values(x < 2) == Values{1, 0, 0});
  CHECK(values(x <= 2) == Values{1, 1, 0});
  CHECK(values(2 > x) == Values{1, 0, 0});
  CHECK(values(1 >= x) == Values{1, 0, 0});
  CHECK(values(i < 2.5) == Values{1, 1, 0});
  CHECK(values(2 <= i) == Values{0, 1, 1});
  CHECK(values(equal(i, 2.5)) == Values{0, 0, 0});
  CHECK(values(i > -1e30) == Values{1, 1, 1});
  CHECK(values(i < nan) == Values{0, 0, 0});
  const int64_t large = (int64_t{1} << 53) + 1;
  CHECK(values(equal(from_vector(std::vector<int64_t>{large}, {1}), 0x1p53)) == Values{0});
  CHECK(values((1 < i) & (i < 3)) == Values{0, 1, 0});
  CHECK(values((i < 2) | (i > 2)) == Values{1, 0, 1});
  CHECK(values(!(i < 2)) == Values{0, 1, 1});
  CHECK(values(i < ints({{2}, {3}})) == Values{1, 0, 0, 1, 1, 0});
  CHECK(equal(zeros({0, 3}), 1).shape() == Shape{0, 3});
  CHECK_MENTIONS(error_of([&] { return 1 < x < 2; }), "a < b & b < c");
}

TEST_CASE("values: choice with numbers") {
  const Tensor x = tensor({-1, 0, 2}), mask = x < 1;
  CHECK(values(where(mask, x, 7)) == Values{-1, 0, 7});
  CHECK(values(where(mask, 7, x)) == Values{7, 7, 2});
  CHECK(values(where(mask, 0, -INFINITY)) == Values{0, 0, -INFINITY});
  CHECK(values(maximum(x, 0)) == Values{0, 0, 2});
  CHECK(values(minimum(1, x)) == Values{-1, 0, 1});
  CHECK_MENTIONS(error_of([&] { maximum(ints({1}), 0.5); }), "0.5 is no value of dtype i64");
  CHECK(values(ones_like(ints({5, 6}))) == Values{1, 1});
  CHECK(zeros_like(ints({5, 6})).dtype() == DType::i64);
  CHECK_MENTIONS(error_of([&] { full_like(ints({1}), 1.5); }), "full_like");
  // at a tie the gradient goes to the tensor
  const Tensor leaf = x.detach().set_requires_grad();
  CHECK(values(grad(sum(maximum(leaf, 0)), {leaf})[0]) == Values{0, 1, 1});
}

TEST_CASE("values: einsum is the loop that its letters say") {
  const auto loop = [](const Tensor& a, const Tensor& b) {  // "bij,bkj->kbi"
    Values out;
    const auto u = values(a), v = values(b);
    for (size_t k = 0; k < 5; ++k)
      for (size_t n = 0; n < 2; ++n)
        for (size_t i = 0; i < 3; ++i) {
          double sum = 0;
          for (size_t j = 0; j < 4; ++j) sum += u[(n * 3 + i) * 4 + j] * v[(n * 5 + k) * 4 + j];
          out.push_back(sum);
        }
    return from_vector(out, {5, 2, 3});
  };
  const Tensor a = sample_normal({2, 3, 4}, 1), b = sample_normal({2, 5, 4}, 2);
  CHECK(distance(einsum("bij,bkj->kbi", {a, b}), loop(a, b)) <= 1e-14);
  const Tensor x = tensor({{1, 2}, {3, 4}}), y = tensor({{5, 6}, {7, 8}}), v = tensor({1, 10});
  CHECK(values(einsum("ij,jk", {x, y})) == Values{19, 22, 43, 50});
  CHECK(values(einsum("ji,jk->ki", {x, y})) == Values{26, 38, 30, 44});
  CHECK(einsum("ii", {x}).item() == 5);
  CHECK(values(einsum("ii->i", {x})) == Values{1, 4});
  CHECK(values(einsum("ba", {x})) == Values{1, 3, 2, 4});
  CHECK(values(einsum("i,j->ji", {v, tensor({2, 3, 4})})) == Values{2, 20, 3, 30, 4, 40});
  CHECK(einsum("i,ij,j->", {v, x, v}).item() == 1 + 20 + 30 + 400);
  CHECK(values(einsum("ij,ij->i", {x, y})) == Values{17, 53});
  CHECK(einsum("ij,kl->", {x, y}).item() == 10 * 26);
  CHECK(values(einsum("...j,j->...", {x, v})) == Values{21, 43});
  CHECK(values(einsum("...,...", {tensor({{1}, {2}}), v})) == Values{1, 10, 2, 20});
  CHECK(values(einsum("i->", {zeros({0})})) == Values{0});
  CHECK(values(einsum("ij,jk->ik", {zeros({2, 0}), zeros({0, 1})})) == Values{0, 0});
}

TEST_CASE("normalize_rows: rows of length 1, zeros stay; its derivatives; equal sequences") {
  const Tensor y = normalize_rows(tensor({{3, 4}, {0, 0}, {-2, 0}}));
  CHECK(y.to_vector<float>() == std::vector<float>{0.6f, 0.8f, 0, 0, -1, 0});
  CHECK(gradcheck([](Inputs in) { return Tensors{normalize_rows(in[0])}; },
                  random_normal({3, 4}, 1, 0, DType::f64), {.order = 2}));
  const auto three = Ragged::equal(3, 2);
  CHECK(three.sequences() == 3);
  CHECK(three.tokens() == 6);
}

}  // namespace gradus::testing
