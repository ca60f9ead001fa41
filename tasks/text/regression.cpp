#include "gradus/tasks/text/regression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gradus/base/error.h"

namespace gradus {
namespace {

void check_sizes(const std::vector<double>& x, const std::vector<double>& y) {
  check(x.size() == y.size() && !x.empty(), "metrics: {} gold values and {} predictions", x.size(),
        y.size());
}

double mean_of(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

}  // namespace

double pearson(const std::vector<double>& x, const std::vector<double>& y) {
  check_sizes(x, y);
  const double mx = mean_of(x), my = mean_of(y);
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mx) * (y[i] - my);
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx) / std::sqrt(yy)
                          : std::numeric_limits<double>::quiet_NaN();
}

std::vector<double> average_ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0, end; begin < order.size(); begin = end) {
    for (end = begin; end < order.size() && values[order[end]] == values[order[begin]];) ++end;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + 1 + end) / 2;
  }
  return ranks;
}

double spearman(const std::vector<double>& x, const std::vector<double>& y) {
  return pearson(average_ranks(x), average_ranks(y));
}

double mean_squared_error(const std::vector<double>& x, const std::vector<double>& y) {
  check_sizes(x, y);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum / static_cast<double>(x.size());
}

Metrics regression_metrics(const std::vector<double>& gold, const std::vector<double>& predicted) {
  return {{"pearson", pearson(gold, predicted)},
          {"spearmanr", spearman(gold, predicted)},
          {"mse", mean_squared_error(gold, predicted)}};
}

}  // namespace gradus
