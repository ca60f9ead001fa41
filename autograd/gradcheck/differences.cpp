#include "gradus/autograd/gradcheck/differences.h"

#include <cmath>

namespace gradus {
namespace {

// The place of the element in memory, counted from x's first one.
int64_t offset_of(const Tensor& x, int64_t element) {
  int64_t offset = 0;
  for (int axis = x.rank() - 1; axis >= 0; --axis) {
    offset += element % x.shape()[axis] * x.strides()[axis];
    element /= x.shape()[axis];
  }
  return offset;
}

// The elements of a view, whatever its strides, to be written: element i lies at offset_of(x, i).
double* elements_of(const Tensor& x) {
  Storage& storage = *x.get().storage;
  ++storage.version;
  return reinterpret_cast<double*>(storage.data) + x.offset();
}

// While it lives, an element has another value. Its version is put back with it: what was saved of
// the tensor is what it was.
class Moved {
 public:
  Moved(const Tensor& x, size_t element, double by)
      : storage_(*x.get().storage),
        version_(storage_.version),
        at_(elements_of(x) + offset_of(x, static_cast<int64_t>(element))),
        before_(*at_) {
    *at_ += by;
  }
  ~Moved() {
    *at_ = before_;
    storage_.version = version_;
  }
  Moved(const Moved&) = delete;
  Moved& operator=(const Moved&) = delete;

 private:
  Storage& storage_;
  uint32_t version_;
  double* at_;
  double before_;
};

void fill(const Tensor& x, const std::vector<double>& values) {
  double* to = elements_of(x);
  for (size_t i = 0; i < values.size(); ++i) to[offset_of(x, static_cast<int64_t>(i))] = values[i];
}

}  // namespace

Replaced::Replaced(const Tensor& x, const std::vector<double>& values)
    : x_(x.detach()), version_(x.get().storage->version), before_(x.to_vector<double>()) {
  fill(x_, values);
}
Replaced::~Replaced() {
  fill(x_, before_);
  x_.get().storage->version = version_;
}

double dot(const Tensors& us, const Tensors& ys) {
  double sum = 0;
  for (size_t i = 0; i < ys.size() && i < us.size(); ++i) {
    if (!us[i].defined() || !ys[i].defined()) continue;
    const auto u = us[i].to_vector<double>(), y = ys[i].to_vector<double>();
    for (size_t j = 0; j < y.size(); ++j) sum += u[j] * y[j];
  }
  return sum;
}

Differences::Differences(std::function<double()> s, const Tensor& x, double step)
    : s_(std::move(s)), x_(x.detach()), step_(step) {}

double Differences::at(size_t element, double by) {
  const Moved moved(x_, element, by);
  return s_();
}

double Differences::central(size_t element, double step) {
  const auto s = [&](double steps) { return at(element, steps * step); };
  return (-s(2) + 8 * s(1) - 8 * s(-1) + s(-2)) / (12 * step);
}

std::vector<double> Differences::central() {
  std::vector<double> all(static_cast<size_t>(x_.numel()));
  for (size_t i = 0; i < all.size(); ++i) all[i] = central(i);
  return all;
}

// The slope at the element of a quadratic through three values beside it (a negative step: to the
// left). The value at the element itself is left out: where s jumps there, as the gradient of |x|
// does, each side still has a slope.
double Differences::one_sided(size_t element, double step) {
  const auto s = [&](double steps) { return at(element, steps * step); };
  return (-5 * s(1) + 8 * s(2) - 3 * s(3)) / (2 * step);
}

double Differences::settled(size_t element, double direction) {
  const double fine = one_sided(element, direction * 1e-5),
               finer = one_sided(element, direction * 1e-6);
  return std::abs(fine - finer) <= 1e-4 * std::max(1.0, std::abs(finer)) ? finer : std::nan("");
}

Differences::Sides Differences::sides(size_t element) {
  return {settled(element, -1), settled(element, 1)};
}

std::vector<Verdict> Differences::judge(const std::vector<double>& analytic,
                                        std::vector<double>& numeric, double tolerance) {
  double largest = 1;
  for (size_t i = 0; i < numeric.size(); ++i)
    largest = std::max({largest, std::abs(numeric[i]), std::abs(analytic[i])});
  std::vector<Verdict> verdicts(numeric.size(), Verdict::right);
  int tried = 0, kinks = 0;
  for (size_t i = 0; i < numeric.size(); ++i) {
    const double a = analytic[i], within = tolerance * largest;
    if (const double gap = std::abs(a - numeric[i]); gap > within && gap < 30 * within)
      numeric[i] = central(i, step_ / 2);
    const double gap = std::abs(a - numeric[i]);
    if (gap <= within) continue;
    verdicts[i] = Verdict::wrong;
    // many wrong ones and no kink among the first: then it is not kinks
    if (!std::isfinite(gap) || (tried == 8 && kinks == 0)) continue;
    ++tried;
    // fmin, fmax: of the side that there is, where there is but one
    const auto [left, right] = sides(i);
    const double low = std::fmin(left, right), high = std::fmax(left, right),
                 off = std::max({0.0, low - a, a - high}),
                 central_off = std::fmax(std::abs(numeric[i] - left), std::abs(numeric[i] - right));
    if (!std::isnan(low) && off <= 1e-5 * largest && central_off > 20 * off &&
        central_off > tolerance * largest) {
      verdicts[i] = Verdict::kink;
      ++kinks;
    }
  }
  return verdicts;
}

}  // namespace gradus
