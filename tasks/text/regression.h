// How well numbers are predicted.
#pragma once

#include "gradus/tasks/text/classification.h"

namespace gradus {

// NaN where one of them is constant, as in scipy
double pearson(const std::vector<double>& x, const std::vector<double>& y);
// Pearson of the ranks
double spearman(const std::vector<double>& x, const std::vector<double>& y);
double mean_squared_error(const std::vector<double>& x, const std::vector<double>& y);

// 1 for the smallest; equal values share the mean of their ranks.
std::vector<double> average_ranks(const std::vector<double>& values);

// pearson, spearmanr, mse
Metrics regression_metrics(const std::vector<double>& gold, const std::vector<double>& predicted);

}  // namespace gradus
