// What there is to differentiate by: float inputs in f64, leaves that the function is said to hold,
// and those that it is found to capture.
#include <algorithm>
#include <utility>

#include "gradus/autograd/gradcheck/check.h"
#include "gradus/autograd/gradcheck/watch.h"

namespace gradus {

bool is_f64(const Tensor& x) { return x.defined() && x.dtype() == DType::f64; }

Tensor f64_leaf(const Tensor& x) {
  return from_vector(x.to_vector<double>(), x.shape()).set_name(x.name()).set_requires_grad();
}

Tensors Check::evaluate_unrecorded(const Function& f) const {
  const NoGrad scope;
  return evaluate(f);
}

Tensors Check::tensors() const {
  Tensors all;
  for (const Variable& v : variables) all.push_back(v.tensor);
  return all;
}

namespace {

// Other values, of the same signs and about the same size, so that they stay in the domain.
Tensor with_other_values(const Tensor& x, uint64_t seed, uint64_t stream) {
  auto values = x.to_vector<double>();
  const auto by = random_uniform(x.shape(), 0.8, 1.2, seed, stream, DType::f64).to_vector<double>();
  for (size_t k = 0; k < values.size(); ++k) values[k] *= by[k];
  return from_vector(values, x.shape());
}

}  // namespace

// A tensor that is given twice becomes two, and the second gets other values: with equal ones, two
// exchanged gradients could not be told apart.
void prepare_inputs(Check& check, Inputs xs) {
  for (size_t i = 0; i < xs.size(); ++i) {
    check.xs.push_back(xs[i]);
    if (!xs[i].defined() || !is_float(xs[i].dtype())) continue;
    const std::string name = xs[i].name().empty() ? fmt::format("input {}", i) : xs[i].name();
    if (xs[i].dtype() != DType::f64)
      check.note("{} {} is {}; it is checked in f64", name, xs[i].shape(),
                 to_string(xs[i].dtype()));
    Tensor x = f64_leaf(xs[i]);
    for (size_t j = 0; j < i; ++j)
      if (xs[j].defined() && xs[j].same(xs[i])) {
        x = f64_leaf(with_other_values(x, check.options.seed, 700 + i));
        check.note("input {} is input {} given twice; it is checked with values of its own", i, j);
        break;
      }
    check.xs.back() = x;
    check.variables.push_back({name, x, {}});
  }
}

void add_leaves(Check& check, const std::vector<NamedLeaf>& leaves) {
  for (const NamedLeaf& named : leaves) {
    if (!is_f64(named.leaf))
      fail("gradcheck: the leaf '{}' is {}; it must be f64", named.name, describe(named.leaf));
    auto at = std::find_if(check.variables.begin(), check.variables.end(),
                           [&](const Variable& v) { return v.tensor.same(named.leaf); });
    if (at == check.variables.end()) at = check.variables.insert(at, {named.name, named.leaf, {}});
    else at->name = named.leaf.name();
    at->ranges.push_back(named);
  }
}

namespace {

// The tensors with a gradient that a function uses, as checkpoint finds them.
class Touched {
 public:
  Tensors list;
  Touched() : before_(std::exchange(detail::modes().touched, &list)) {}
  ~Touched() { detail::modes().touched = before_; }
  Touched(const Touched&) = delete;
  Touched& operator=(const Touched&) = delete;

 private:
  Tensors* before_;
};

}  // namespace

bool run_once(Check& check, const Function& f, bool is_layer) {
  Touched touched;
  Watch watch;
  for (const Variable& v : check.variables) watch.keep(v.tensor, v.name);
  std::string failure;
  try {
    const RecordingScope recording(true);
    check.evaluate(f);
  } catch (const Error& error) { failure = error.what(); }
  const size_t known = check.variables.size();
  for (const Tensor& x : touched.list) {
    const bool made_inside = x.get().node && x.get().node->sequence() > check.since;
    if (made_inside || std::any_of(check.variables.begin(), check.variables.end(),
                                   [&](const Variable& v) { return v.tensor.same(x); }))
      continue;
    if (x.dtype() == DType::f64) {
      check.variables.push_back({x.name().empty() ? describe(x) : x.name(), x, {}});
      continue;
    }
    check.wrong(
        "the function captures a leaf that wants a gradient, {}: it cannot be checked in f32. {}{}",
        describe(x),
        is_layer
            ? "The layer's parts() should list it: what is listed is checked, in f64"
            : "Pass the layer, gradcheck(layer, {x}) of nn/gradcheck.h, which clones it to f64 "
              "and checks each parameter; or pass the tensor as an input",
        failure.empty() ? "" : fmt::format(" (with inputs in f64 it throws: {})", failure));
    return false;
  }
  if (!failure.empty())
    fail("{}{}", failure,
         failure.find("dtype") == std::string::npos
             ? ""
             : "\n  (gradcheck calls with f64: what the function makes is to have its input's "
               "dtype, "
               "x.dtype(), or that of a parameter)");
  for (size_t i = known; i < check.variables.size(); ++i)
    check.note("the function captures {} {}; it is checked in place", check.variables[i].name,
               check.variables[i].tensor.shape());
  for (const std::string& complaint : watch.complaints()) check.wrong("{}", complaint);
  if (const std::string changed = watch.changed(); !changed.empty() && watch.complaints().empty())
    check.wrong("the function writes into {}: what it is given must stay as it is", changed);
  return check.result.ok;
}

bool can_be_checked(Check& check, const Function& f) {
  std::string given;
  for (const Tensor& x : check.xs) given += (given.empty() ? "" : ", ") + describe(x);
  int64_t entries = 0, elements = 0;
  for (const Variable& v : check.variables) entries += v.tensor.numel();
  if (check.variables.empty())
    check.wrong("nothing was checked: {}, and the function captures no leaf that wants a gradient",
                check.xs.empty() ? "there is no input"
                                 : fmt::format("no input is a float tensor (given: {})", given));
  else if (entries == 0)
    check.wrong("nothing was checked: no input has an element (given: {})", given);
  size_t outputs = 0;
  const Tensors ys = check.evaluate_unrecorded(f);
  for (size_t i = 0; i < ys.size(); ++i) {
    if (!ys[i].defined()) fail("gradcheck: output {} of the function is undefined", i);
    if (ys[i].dtype() == DType::f32)
      check.wrong(
          "output {} {} is f32, for f64 inputs: the function computes in f32, where differences "
          "tell nothing; leave out the cast, or make its constants f64",
          i, ys[i].shape());
    if (is_f64(ys[i])) ++outputs, elements += ys[i].numel();
  }
  if (outputs == 0) check.wrong("nothing was checked: the function has no f64 output");
  else if (elements == 0) check.wrong("nothing was checked: no output has an element");
  return entries && elements;
}

}  // namespace gradus
