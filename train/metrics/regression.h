// How well numbers are predicted.
#pragma once

#include "train/metrics/classification.h"

namespace gradus {

double pearson(const std::vector<double>& x, const std::vector<double>& y);   // NaN where one of them is constant, as in scipy
double spearman(const std::vector<double>& x, const std::vector<double>& y);  // Pearson of the ranks
double mean_squared_error(const std::vector<double>& x, const std::vector<double>& y);

// 1 for the smallest; equal values share the mean of their ranks.
std::vector<double> average_ranks(const std::vector<double>& values);

Metrics regression_metrics(const std::vector<double>& gold, const std::vector<double>& predicted);  // pearson, spearmanr, mse

}  // namespace gradus
