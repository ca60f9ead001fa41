// Learning-rate schedules: the rate of step t (from 0) of `total`, after a linear warm-up over the
// first `warmup` steps.
//   linear    Hugging Face's: up to the peak at `warmup`, then straight to 0 at `total`
//   constant  the peak after the warm-up
//   cosine    half a cosine from the peak to 0
//   google    optimization.py's: after the warm-up peak * (1 - t / total), counted from step 0, so
//             there is a small drop at the end of the warm-up
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>

#include "gradus/base/error.h"

namespace gradus {

struct Schedule {
  enum class Shape { linear, constant, cosine, google };
  Shape shape = Shape::linear;
  double peak = 1e-4;
  int64_t warmup = 0, total = 1;

  static Shape shape_named(const std::string& name) {
    if (name == "linear") return Shape::linear;
    if (name == "constant") return Shape::constant;
    if (name == "cosine") return Shape::cosine;
    if (name == "google") return Shape::google;
    fail("no schedule is called '{}'; there are linear, constant, cosine and google", name);
  }

  double at(int64_t t) const {
    const auto step = static_cast<double>(t), end = static_cast<double>(total);
    if (t < warmup) return peak * step / static_cast<double>(warmup);
    if (shape == Shape::constant) return peak;
    if (shape == Shape::google) return peak * std::max(0.0, 1 - step / end);
    const double progress = total > warmup ? std::min(1.0, (step - static_cast<double>(warmup)) /
                                                               static_cast<double>(total - warmup))
                                           : 1;
    return peak * (shape == Shape::linear ? 1 - progress
                                          : 0.5 * (1 + std::cos(std::numbers::pi * progress)));
  }
};

}  // namespace gradus
