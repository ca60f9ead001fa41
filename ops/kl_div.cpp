// The Kullback-Leibler divergence KL(p || q) of rows, q by its logarithm: of a student from a
// teacher (Hinton et al. 2015).           log_q, p [.., n]  ->  loss []
//   loss = sum of p (ln p - log_q) / denominator;  where p is 0 the term is 0
//   dlog_q = -dy p / denominator,  dp = dy (ln p + 1 - log_q) / denominator
// PyTorch's F.kl_div(log_q, p): its reduction "batchmean" for [rows, n] is the default denominator,
// the number of rows; "sum" is a denominator of 1.
#include "gradus/kernels/kernels.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct KlDiv : Op<KlDiv> {
  static constexpr const char* name = "kl_div";
  double denominator;
  explicit KlDiv(double denominator) : denominator(denominator) {}
  std::string detail() const override { return fmt::format("denominator={}", denominator); }

  Tensors forward(Inputs in) override {
    check_same_dtype(name, in[0], in[1]);
    if (in[0].shape() != in[1].shape())
      fail("kl_div: the log-probabilities are {}, the probabilities {}; they must have one shape",
           in[0].shape(), in[1].shape());
    save({in[0], in[1]});
    const Tensor log_q = contiguous(in[0]), p = contiguous(in[1]);
    double loss = 0;
    dispatch_float(name, p.dtype(), [&]<class T>() {
      loss = parallel_sum(p.numel(), element_block, [&](int64_t begin, int64_t end) {
        const T *at = p.data<T>() + begin, *q = log_q.data<T>() + begin;
        std::vector<T> log_p(static_cast<size_t>(end - begin));
        kernels<T>().log(at, log_p.data(), end - begin);
        double total = 0;
        for (int64_t i = 0; i < end - begin; ++i)
          if (at[i] != 0)
            total +=
                static_cast<double>(at[i]) *
                (static_cast<double>(log_p[static_cast<size_t>(i)]) - static_cast<double>(q[i]));
        return total;
      });
    });
    return {scalar(loss / denominator, p.dtype())};
  }

  Tensors backward(const Tensors& dys) override {
    const Tensor log_q = saved(0), p = saved(1), dy = dys[0] * (1 / denominator);
    Tensors dxs(2);
    if (wants(0)) dxs[0] = -dy * p;
    if (wants(1)) {
      const Tensor none = equal(p.detach(), zeros({}, p.dtype())), one = ones({}, p.dtype());
      dxs[1] = dy * (where(none, zeros({}, p.dtype()), log(where(none, one, p)) + 1) - log_q);
    }
    return dxs;
  }
};

}  // namespace

Tensor kl_div(const Tensor& log_q, const Tensor& p, std::optional<double> denominator) {
  const auto rows = static_cast<double>(std::max<int64_t>(leading_size(p.shape()), 1));
  return apply<KlDiv>({log_q, p}, denominator.value_or(rows))[0];
}

OpInfos kl_div_ops() {
  // both positive, because the tests try f(x, x), too
  const auto call = [](Inputs in) { return Tensors{kl_div(in[0], in[1])}; };
  return {
      {.name = "kl_div",
       .formula = "sum p (ln p - log q) / rows",
       .samples =
           {{"matrix", {sample::uniform({3, 4}, 0.1, 1), sample::uniform({3, 4}, 0.1, 1)}, call},
            {"a denominator",
             {sample::uniform({2, 2, 5}, 0.1, 1), sample::uniform({2, 2, 5}, 0.1, 1)},
             [](Inputs in) { return Tensors{kl_div(in[0], in[1], 1.0)}; }},
            {"vector tail",
             {sample::uniform({2, 19}, 0.1, 1), sample::uniform({2, 19}, 0.1, 1)},
             call},
            {"distillation",
             {sample::normal({2, 5}), sample::normal({2, 5})},
             [](Inputs in) { return Tensors{kl_div(log_softmax(in[0]), softmax(in[1] * 0.5))}; }}},
       .errors = {
           {"shapes",
            [] {
              kl_div(ones({2, 3}), ones({3}));
            },
            {"kl_div", "[2, 3]", "[3]"}},
           {"dtypes", [] { kl_div(ones({2}), ones({2}, DType::f64)); }, {"kl_div", "f32", "f64"}},
           {"integers", [] { kl_div(arange(2), arange(2)); }, {"kl_div", "i64"}}}}};
}

}  // namespace gradus
