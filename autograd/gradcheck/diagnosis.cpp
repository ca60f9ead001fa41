#include "gradus/autograd/gradcheck/diagnosis.h"

#include <cmath>
#include <optional>

#include "gradus/autograd/modes.h"

namespace gradus {
namespace {

using Values = std::vector<double>;
using Guess = std::optional<std::string>;

double largest(const Values& v) {
  double most = 0;
  for (const double x : v) most = std::max(most, std::abs(x));
  return most;
}
double product(const Values& a, const Values& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
template <class F>
Values each(const Values& a, const Values& b, F f) {
  Values out(a.size());
  for (size_t i = 0; i < a.size(); ++i) out[i] = f(a[i], b[i]);
  return out;
}
Values scaled(const Values& v, double c) {
  return each(v, v, [c](double x, double) { return c * x; });
}

// c where a = c b, and a is not zero.
std::optional<double> ratio(const Values& a, const Values& b) {
  if (a.size() != b.size() || largest(a) == 0 || largest(b) == 0) return {};
  const double c = product(a, b) / product(b, b);
  if (std::abs(c) < 1e-6 || !close(a, scaled(b, c))) return {};
  return c;
}

std::string times(double c) {
  return std::abs(c - 1) < 1e-4 ? "" : fmt::format(", {:.4g} times", c);
}

// Axes of a contiguous tensor: element = (before, index, after).
struct Axis {
  int64_t size, after;
  size_t first(size_t line) const {
    return static_cast<size_t>(static_cast<int64_t>(line) / after * size * after +
                               static_cast<int64_t>(line) % after);
  }
  size_t at(size_t line, int64_t i) const { return first(line) + static_cast<size_t>(i * after); }
};
Axis axis_of(const Shape& shape, int axis) {
  int64_t after = 1;
  for (int i = axis + 1; i < shape.rank(); ++i) after *= shape[i];
  return {shape[axis], after};
}

// ---- the hypotheses, each by the mistake that it stands for

Guess factor(const Evidence& e) {
  const auto c = ratio(e.analytic, e.numeric);
  if (!c || std::abs(*c - 1) < 1e-3) return {};
  // one number is always a multiple of another: only a simple one tells something
  if (e.analytic.size() == 1 && std::abs(*c * 12 - std::round(*c * 12)) > 1e-3) return {};
  const std::string is = fmt::format("it is {:.4g} times the right one", *c);
  if (std::abs(*c + 1) < 1e-4) return "the sign: " + is;
  if (*c < 0) return "sign and factor: " + is;
  for (const Tensor& dy : e.dys) {
    const auto more = dy.defined() ? dy.numel() / std::max<int64_t>(e.shape.numel(), 1) : 0;
    if (more > 1 && std::abs(*c * static_cast<double>(more) - 1) < 1e-4)
      return fmt::format(
          "the mean over the {} rows that the input was broadcast to, where the sum is meant: {}; "
          "return dy as it is, the engine sums over broadcast axes by itself",
          more, is);
  }
  return "a factor: " + is;
}

Guess transposed(const Evidence& e) {
  for (int i = 0; i < e.shape.rank(); ++i)
    for (int j = i + 1; j < e.shape.rank(); ++j) {
      if (e.shape[i] == 1 || e.shape[j] == 1) continue;
      Shape shape = e.shape, strides = contiguous_strides(e.shape);
      std::swap(shape[i], shape[j]);
      std::swap(strides[i], strides[j]);
      const Tensor right = from_vector(e.numeric, e.shape).view(shape, strides, 0);
      const auto c = ratio(e.analytic, right.to_vector<double>());
      if (c && !ratio(e.analytic, e.numeric))
        return fmt::format(
            "transposed: it is{} the right one with axes {} and {} exchanged{}", times(*c), i, j,
            shape == e.shape ? ""
                             : fmt::format(", {} laid out in the memory of {}", shape, e.shape));
    }
  return {};
}

// Solves X W = B for rows X (row-major, n columns): W^T x = b, by elimination with pivots.
std::optional<Values> solve_right(Values w, Values b, size_t n) {
  const size_t rows = b.size() / n;
  for (size_t c = 0; c < n; ++c) {  // columns of X W = B are combined: eliminate along rows of W
    size_t pivot = c;
    for (size_t k = c + 1; k < n; ++k)
      if (std::abs(w[c * n + k]) > std::abs(w[c * n + pivot])) pivot = k;
    if (std::abs(w[c * n + pivot]) < 1e-8) return {};
    for (size_t r = 0; r < n; ++r) std::swap(w[r * n + c], w[r * n + pivot]);
    for (size_t r = 0; r < rows; ++r) std::swap(b[r * n + c], b[r * n + pivot]);
    for (size_t k = 0; k < n; ++k) {
      if (k == c) continue;
      const double by = w[c * n + k] / w[c * n + c];
      for (size_t r = 0; r < n; ++r) w[r * n + k] -= by * w[r * n + c];
      for (size_t r = 0; r < rows; ++r) b[r * n + k] -= by * b[r * n + c];
    }
    const double by = 1 / w[c * n + c];
    for (size_t r = 0; r < n; ++r) w[r * n + c] *= by;
    for (size_t r = 0; r < rows; ++r) b[r * n + c] *= by;
  }
  return b;
}
Values matrix_product(const Values& a, const Values& w, size_t n) {
  Values out(a.size());
  for (size_t r = 0; r < a.size() / n; ++r)
    for (size_t j = 0; j < n; ++j)
      for (size_t k = 0; k < n; ++k) out[r * n + j] += a[r * n + k] * w[k * n + j];
  return out;
}
Values transpose_of(const Values& a, size_t columns) {
  const size_t rows = a.size() / columns;
  Values out(a.size());
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c) out[c * rows + r] = a[r * columns + c];
  return out;
}

// The right dx is g W or g W^T for some g. Then g follows from it, and what W^T or W would give.
Guess weight_for_its_transpose(const Evidence& e) {
  for (size_t i = 0; i < e.inputs.size(); ++i) {
    const Tensor& weight = e.inputs[i];
    if (i == e.input || !weight.defined() || weight.dtype() != DType::f64 || weight.rank() != 2 ||
        weight.size(0) != weight.size(1) || weight.size(0) < 2 || weight.size(0) > 64)
      continue;
    const auto n = static_cast<size_t>(weight.size(0));
    const Values w = weight.to_vector<double>(), wt = transpose_of(w, n);
    for (const bool left : {false, true}) {
      if (e.shape.rank() < 1 || e.shape[left ? 0 : -1] != static_cast<int64_t>(n)) continue;
      const size_t columns = e.numeric.size() / n;
      const Values right = left ? transpose_of(e.numeric, columns) : e.numeric,
                   found = left ? transpose_of(e.analytic, columns) : e.analytic;
      for (const auto& [used, meant] : {std::pair(wt, w), std::pair(w, wt)}) {
        const auto g = solve_right(meant, right, n);
        if (g && close(found, matrix_product(*g, used, n)))
          return fmt::format(
              "W for its transpose: it is right with {} {} transposed where dy is multiplied by it",
              e.names[i], weight.shape());
      }
    }
  }
  return {};
}

Guess another_inputs(const Evidence& e) {
  for (size_t i = 0; i < e.inputs.size(); ++i)
    if (i != e.input && e.inputs[i].defined() && e.inputs[i].dtype() == DType::f64 &&
        e.inputs[i].shape() == e.shape && close(e.analytic, e.right(e.inputs, e.dys, i)))
      return fmt::format("exchanged: it is the gradient by {}", e.names[i]);
  return {};
}

// Only one row of dy arrives, where all of them are to be summed.
Guess missing_sum(const Evidence& e) {
  for (size_t k = 0; k < e.dys.size(); ++k) {
    if (!e.dys[k].defined()) continue;
    const Shape shape = e.dys[k].shape();
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] < 2) continue;
      const Axis along = axis_of(shape, axis);
      for (const int64_t kept : {int64_t{0}, shape[axis] - 1}) {
        Values some(static_cast<size_t>(shape.numel()));
        const Values all = e.dys[k].to_vector<double>();
        for (size_t line = 0; line < all.size() / static_cast<size_t>(shape[axis]); ++line)
          some[along.at(line, kept)] = all[along.at(line, kept)];
        Tensors dys(e.dys.size());
        dys[k] = from_vector(some, shape);
        if (close(e.analytic, e.right(e.inputs, dys, e.input)))
          return fmt::format(
              "a missing sum over the broadcast axis {} of dy {}: it is what entry {} of that axis "
              "gives alone; return dy as it is, the engine sums over broadcast axes by itself",
              axis, shape, kept);
      }
    }
  }
  return {};
}

Guess missing_dy(const Evidence& e) {
  Tensors ones_like;
  for (const Tensor& dy : e.dys)
    ones_like.push_back(dy.defined() ? full(dy.shape(), 1, DType::f64) : Tensor());
  if (!close(e.analytic, e.right(e.inputs, ones_like, e.input))) return {};
  return "dy is missing: it is right for a dy of ones (the chain rule multiplies by dy)";
}

Guess mask(const Evidence& e) {
  const double small = 1e-7 * std::max(1.0, largest(e.numeric));
  int64_t cut = 0, passed = 0, others = 0;
  for (size_t i = 0; i < e.analytic.size(); ++i) {
    const double a = e.analytic[i], n = e.numeric[i];
    if (std::abs(a - n) <= small) continue;
    if (a == 0) ++cut;
    else if (std::abs(n) <= small) ++passed;
    else ++others;
  }
  if (others || !(cut || passed)) return {};
  if (cut && passed)
    return "the mask is the other way round: zero where the truth is not, and not zero where it is";
  if (cut)
    return fmt::format("a mask: {} entr{} zero where the truth is not, and the others are right",
                       cut, cut == 1 ? "y is" : "ies are");
  return fmt::format(
      "a missing mask: the truth is zero at {} entr{}, as the forward cuts off there", passed,
      passed == 1 ? "y" : "ies");
}

Tensor aligned(const Tensor& x, const Shape& shape) {
  if (!x.defined() || x.dtype() != DType::f64 || x.rank() > shape.rank()) return {};
  Shape strides = Shape::of_rank(shape.rank());
  for (int i = 1; i <= x.rank(); ++i) {
    if (x.shape()[-i] != 1 && x.shape()[-i] != shape[-i]) return {};
    strides[-i] = x.shape()[-i] == 1 ? 0 : x.strides()[-i];
  }
  return x.view(shape, strides, x.offset());
}

// Wrong by a factor that is an input or the output: a link of the chain forgotten, or there twice.
Guess tensor_factor(const Evidence& e) {
  const auto with = [&](const Tensor& x, const std::string& name) -> Guess {
    const Tensor factors = aligned(x, e.shape);
    if (!factors.defined() || e.shape.numel() < 2) return {};
    const Values f = factors.to_vector<double>();
    const auto times = [](double a, double b) { return a * b; };
    if (close(each(e.analytic, f, times), e.numeric))
      return fmt::format("a factor: the right one is it, times {}", name);
    if (close(e.analytic, each(e.numeric, f, times)))
      return fmt::format("a factor: it is the right one, times {} once too often", name);
    return {};
  };
  for (size_t i = 0; i < e.inputs.size(); ++i)
    if (Guess guess = with(e.inputs[i], e.names[i])) return guess;
  for (const Tensor& y : e.outputs)
    if (Guess guess = with(y, "the output y")) return guess;
  return {};
}

// The difference to the right one is, along an axis, a multiple of something that such a term has.
Guess missing_mean(const Evidence& e) {
  const Values gap = each(e.analytic, e.numeric, [](double a, double n) { return a - n; });
  const Tensor x = e.input < e.inputs.size() ? e.inputs[e.input] : Tensor();
  const Tensor y =
      e.outputs.size() == 1 && e.outputs[0].shape() == e.shape ? e.outputs[0] : Tensor();
  for (int axis = e.shape.rank() - 1; axis >= 0; --axis) {
    if (e.shape[axis] < 3) continue;
    const Axis along = axis_of(e.shape, axis);
    const size_t lines = gap.size() / static_cast<size_t>(e.shape[axis]);
    const auto explains = [&](const Values& term) {
      Values fitted(gap.size());
      for (size_t line = 0; line < lines; ++line) {
        double gt = 0, tt = 0;
        for (int64_t i = 0; i < along.size; ++i) {
          const size_t at = along.at(line, i);
          gt += gap[at] * term[at], tt += term[at] * term[at];
        }
        for (int64_t i = 0; tt > 0 && i < along.size; ++i)
          fitted[along.at(line, i)] = gt / tt * term[along.at(line, i)];
      }
      return close(gap, fitted);
    };
    const auto says = [&](const char* term) {
      return fmt::format(
          "a missing mean subtraction: the difference to the right one is, along axis {}, {}", axis,
          term);
    };
    if (explains(Values(gap.size(), 1.0)))
      return says("one constant; is the mean (or sum) of dy along it not subtracted?");
    if (y.defined()) {
      Values v = y.to_vector<double>();
      if (explains(v)) return says("a multiple of y, like softmax's - y sum(dy y)");
      for (double& value : v) value = std::exp(value);
      if (explains(v)) return says("a multiple of exp(y), like log_softmax's - exp(y) sum(dy)");
    }
    if (x.defined() && x.dtype() == DType::f64 && x.shape() == e.shape) {
      Values centred = x.to_vector<double>();
      for (size_t line = 0; line < lines; ++line) {
        double mean = 0;
        for (int64_t i = 0; i < along.size; ++i) mean += centred[along.at(line, i)];
        for (int64_t i = 0; i < along.size; ++i)
          centred[along.at(line, i)] -= mean / static_cast<double>(along.size);
      }
      if (explains(centred))
        return says("a multiple of x - mean(x), like layer_norm's - xh mean(dy xh)");
    }
  }
  return {};
}

Guess saved_y_for_x(const Evidence& e) {
  if (e.outputs.size() != 1 || !e.outputs[0].defined() || e.outputs[0].dtype() != DType::f64 ||
      e.outputs[0].shape() != e.shape)
    return {};
  Tensors at_y = e.inputs;
  at_y[e.input] = e.outputs[0];
  if (close(e.analytic, e.right(at_y, e.dys, e.input)))
    return "y for x: it is the derivative at y = f(x), not at x; was y saved where x was meant?";
  if (e.wrong && close(e.wrong(at_y), e.numeric))
    return "x for y: it would be right if y = f(x) stood where it reads x; was x saved for y?";
  return {};
}

}  // namespace

bool close(const Values& a, const Values& b) {
  if (a.size() != b.size()) return false;
  const double tolerance = 1e-5 * std::max(largest(b), 1e-12);
  for (size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= tolerance)) return false;
  return true;
}

bool all_f32(const Values& values) {
  int telling = 0;
  for (const double v : values) {
    if (static_cast<double>(static_cast<float>(v)) != v) return false;
    // a number with few digits (0, 1, 0.25) is one of f32 by itself
    const double scaled = std::ldexp(v, 12 - std::ilogb(v == 0 ? 1 : v));
    telling += scaled != std::floor(scaled);
  }
  return telling >= 3 || (telling > 0 && telling == static_cast<int>(values.size()));
}

std::string index_text(const Shape& shape, size_t element) {
  Shape index = Shape::of_rank(shape.rank());
  auto rest = static_cast<int64_t>(element);
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    index[axis] = rest % shape[axis];
    rest /= shape[axis];
  }
  return to_string(index);
}

std::string likeliest_mistake(const Evidence& evidence) {
  const NoGrad scope;
  if (largest(evidence.analytic) == 0)
    return "the path is cut: the analytic gradient is zero throughout";
  for (const auto hypothesis :
       {factor, transposed, weight_for_its_transpose, another_inputs, missing_sum, missing_dy, mask,
        tensor_factor, missing_mean, saved_y_for_x}) {
    try {
      if (const Guess guess = hypothesis(evidence)) return *guess;
    } catch (const Error&) {  // that hypothesis asks for a call that is not legal here
    }
  }
  return "";
}

}  // namespace gradus
