// How a parameter begins: what a layer says of it in parts(), and initialize() does.
//
//   p("weight", weight);             // a matrix: from the distribution that initialize() is given
//   p("gamma", gamma, Init::keep);   // as the constructor left it
//   p("scale", scale, Init::ones);
//   p("table", table, Normal{0.02}); // from its own, whatever initialize() is given
//
// Where a layer says nothing, matrices (two axes or more) are drawn and vectors keep what the
// constructor gave them.
#pragma once

namespace gradus {

// Mean 0.
struct Normal {
  double stddev;
};
// Normal, cut at two standard deviations by drawing again, as TensorFlow does: the realised
// deviation is 0.88 of `stddev`.
struct TruncatedNormal {
  double stddev;
};
// In [-bound, bound).
struct Uniform {
  double bound;
};

struct Init {
  enum class Kind { drawn, keep, constant, normal, truncated_normal, uniform };
  Kind kind = Kind::drawn;
  double value = 0;  // the constant, the standard deviation or the bound

  constexpr Init(Kind kind, double value) : kind(kind), value(value) {}
  constexpr Init(Normal d) : Init(Kind::normal, d.stddev) {}
  constexpr Init(TruncatedNormal d) : Init(Kind::truncated_normal, d.stddev) {}
  constexpr Init(Uniform d) : Init(Kind::uniform, d.bound) {}

  // from the distribution that initialize() is given
  static const Init drawn;
  // initialize() leaves it alone
  static const Init keep;
  static const Init zeros, ones;
  static constexpr Init constant(double value) { return {Kind::constant, value}; }
};

inline constexpr Init Init::drawn{Kind::drawn, 0};
inline constexpr Init Init::keep{Kind::keep, 0};
inline constexpr Init Init::zeros{Kind::constant, 0};
inline constexpr Init Init::ones{Kind::constant, 1};

}  // namespace gradus
