// Comparison and logic, elementwise with broadcasting; results are boolean and without gradient.
//   equal not_equal less less_equal greater greater_equal: of two tensors, or of one and a number
//   logical_and logical_or logical_not                       of booleans
// A number is compared as the tensor's dtype has it: equal(x, 0.1) holds for the f32 nearest to
// 0.1; beside integers it is exact, so that x < 2.5 is what it says. Comparisons with NaN are false
// (not_equal: true). Booleans have no order: 0 < x < 1 in C++ compares (0 < x) with 1, and is an
// Error.
#include "gradus/ops/elementwise.h"
#include "gradus/ops/numbers.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct Equal {
  static constexpr const char* name = "equal";
  static constexpr bool ordering = false;
  bool operator()(auto a, auto b) const { return a == b; }
};
struct NotEqual {
  static constexpr const char* name = "not_equal";
  static constexpr bool ordering = false;
  bool operator()(auto a, auto b) const { return a != b; }
};
struct Less {
  static constexpr const char* name = "less";
  static constexpr bool ordering = true;
  bool operator()(auto a, auto b) const { return a < b; }
};
struct LessEqual {
  static constexpr const char* name = "less_equal";
  static constexpr bool ordering = true;
  bool operator()(auto a, auto b) const { return a <= b; }
};
struct Greater {
  static constexpr const char* name = "greater";
  static constexpr bool ordering = true;
  bool operator()(auto a, auto b) const { return a > b; }
};
struct GreaterEqual {
  static constexpr const char* name = "greater_equal";
  static constexpr bool ordering = true;
  bool operator()(auto a, auto b) const { return a >= b; }
};

template <class Relation>
void check_ordered(const Tensor& x) {
  if (Relation::ordering && x.dtype() == DType::boolean)
    fail("{}: booleans (shape {}) have no order; is it a < b < c? That is a < b & b < c",
         Relation::name, x.shape());
}

template <class Relation>
Tensor compare(const Tensor& a, const Tensor& b) {
  check_same_dtype(Relation::name, a, b);
  check_ordered<Relation>(a);
  Tensor y = Tensor::empty(broadcast_shapes(Relation::name, a.shape(), b.shape()), DType::boolean);
  dispatch(a.dtype(), [&]<class T>() { elementwise<bool(T, T)>(y, Relation{}, a, b); });
  return y;
}

template <class Relation>
Tensor compare(const Tensor& x, double c) {
  if (dispatch(x.dtype(), [&]<class T>() { return is_exact<T>(c); }))
    return compare<Relation>(x, scalar(c, x.dtype()));
  check_ordered<Relation>(x);
  Tensor y = Tensor::empty(x.shape(), DType::boolean);
  dispatch(x.dtype(), [&]<class T>() {  // an integer beside what no integer is
    if constexpr (!std::is_floating_point_v<T>)
      elementwise<bool(T)>(
          y, [c](T v) { return Relation{}(static_cast<double>(v), c); }, x);
  });
  return y;
}

void check_boolean(const char* op, const Tensor& x) {
  if (x.dtype() != DType::boolean)
    fail("{}: needs boolean tensors, got {} {}; compare first, as in not_equal(x, 0)", op,
         to_string(x.dtype()), x.shape());
}

template <class F>
Tensor logical(const char* op, const Tensor& a, const Tensor& b, F f) {
  check_boolean(op, a);
  check_boolean(op, b);
  Tensor y = Tensor::empty(broadcast_shapes(op, a.shape(), b.shape()), DType::boolean);
  elementwise<bool(bool, bool)>(y, f, a, b);
  return y;
}

}  // namespace

Tensor equal(const Tensor& a, const Tensor& b) { return compare<Equal>(a, b); }
Tensor not_equal(const Tensor& a, const Tensor& b) { return compare<NotEqual>(a, b); }
Tensor less(const Tensor& a, const Tensor& b) { return compare<Less>(a, b); }
Tensor less_equal(const Tensor& a, const Tensor& b) { return compare<LessEqual>(a, b); }
Tensor greater(const Tensor& a, const Tensor& b) { return compare<Greater>(a, b); }
Tensor greater_equal(const Tensor& a, const Tensor& b) { return compare<GreaterEqual>(a, b); }
Tensor equal(const Tensor& x, double c) { return compare<Equal>(x, c); }
Tensor not_equal(const Tensor& x, double c) { return compare<NotEqual>(x, c); }
Tensor less(const Tensor& x, double c) { return compare<Less>(x, c); }
Tensor less_equal(const Tensor& x, double c) { return compare<LessEqual>(x, c); }
Tensor greater(const Tensor& x, double c) { return compare<Greater>(x, c); }
Tensor greater_equal(const Tensor& x, double c) { return compare<GreaterEqual>(x, c); }

Tensor logical_and(const Tensor& a, const Tensor& b) {
  return logical("logical_and", a, b, [](bool u, bool v) { return u && v; });
}
Tensor logical_or(const Tensor& a, const Tensor& b) {
  return logical("logical_or", a, b, [](bool u, bool v) { return u || v; });
}
Tensor logical_not(const Tensor& x) {
  check_boolean("logical_not", x);
  Tensor y = Tensor::empty(x.shape(), DType::boolean);
  elementwise<bool(bool)>(
      y, [](bool v) { return !v; }, x);
  return y;
}

OpInfos compare_ops() {
  using sample::indices;
  using sample::normal;
  const auto relation = [](const char* name, const char* formula,
                           Tensor (*of_tensors)(const Tensor&, const Tensor&),
                           Tensor (*with_number)(const Tensor&, double)) {
    const auto both = [=](Inputs in) { return Tensors{of_tensors(in[0], in[1])}; };
    return OpInfo{.name = name,
                  .formula = formula,
                  .samples = {{"same shape", {normal({3, 4}), normal({3, 4})}, both},
                              {"column and row", {normal({3, 1}), normal({4})}, both},
                              {"integers, many equal", {indices({40}, 3), indices({40}, 3)}, both},
                              {"a number",
                               {normal({3, 4}), indices({7}, 4)},
                               [=](Inputs in) {
                                 return Tensors{with_number(in[0], 0.25), with_number(in[1], 2),
                                                with_number(in[1], 1.5)};
                               }}},
                  .errors = {{"shapes",
                              [=] {
                                of_tensors(ones({2, 3}), ones({4}));
                              },
                              {name, "[2, 3]", "[4]"}},
                             {"dtypes",
                              [=] { of_tensors(ones({2}), ones({2}, DType::i64)); },
                              {name, "f32", "i64"}}},
                  .differentiable = false};
  };
  const auto chained = [](const char* name, Tensor (*f)(const Tensor&, double)) {
    return ErrorSample{
        "a chain", [=] { f(f(ones({2}), 0.5), 0.5); }, {name, "booleans", "a < b & b < c"}};
  };
  const auto truth = [](const Shape& shape) { return sample::indices(shape, 2, DType::boolean); };
  const auto logic = [=](const char* name, const char* formula,
                         Tensor (*f)(const Tensor&, const Tensor&)) {
    const auto both = [=](Inputs in) { return Tensors{f(in[0], in[1])}; };
    return OpInfo{
        .name = name,
        .formula = formula,
        .samples = {{"column and row", {truth({3, 1}), truth({4})}, both},
                    {"same shape", {truth({3, 4}), truth({3, 4})}, both}},
        .errors = {{"dtype",
                    [=] { f(ones({2}), full({2}, 1, DType::boolean)); },
                    {name, "boolean", "f32"}},
                   {"shapes", [=] { f(ones({2}) < 1, ones({3}) < 1); }, {name, "[2]", "[3]"}}},
        .differentiable = false};
  };
  OpInfos infos{relation("equal", "a == b", equal, equal),
                relation("not_equal", "a != b", not_equal, not_equal),
                relation("less", "a < b", less, less),
                relation("less_equal", "a <= b", less_equal, less_equal),
                relation("greater", "a > b", greater, greater),
                relation("greater_equal", "a >= b", greater_equal, greater_equal),
                logic("logical_and", "a & b", logical_and),
                logic("logical_or", "a | b", logical_or),
                {.name = "logical_not",
                 .formula = "!a",
                 .samples = {{"matrix",
                              {truth({3, 4})},
                              [](Inputs in) { return Tensors{logical_not(in[0])}; }}},
                 .errors = {{"dtype", [] { logical_not(ones({2})); }, {"logical_not", "f32"}}},
                 .differentiable = false}};
  infos[2].errors.push_back(chained("less", less));
  infos[3].errors.push_back(chained("less_equal", less_equal));
  infos[4].errors.push_back(chained("greater", greater));
  infos[5].errors.push_back(chained("greater_equal", greater_equal));
  return infos;
}

}  // namespace gradus
