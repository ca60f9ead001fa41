#include "gradus/tasks/common.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace gradus {

std::vector<double> probabilities(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  std::vector<double> p;
  double total = 0;
  for (const float x : logits) total += p.emplace_back(std::exp(x - top));
  for (double& x : p) x /= total;
  return p;
}

std::string excerpt(const std::string& text, size_t width) {
  std::string line;
  size_t characters = 0;
  for (const char c : text) {
    // a character, not a byte inside one
    const bool begins = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (begins && characters++ == width) return line + "…";
    line += c == '\n' || c == '\t' || c == '\r' ? ' ' : c;
  }
  return line;
}

std::string listed(const std::vector<std::string>& words, const char* last) {
  if (words.size() < 2) return fmt::format("{}", fmt::join(words, ""));
  return fmt::format("{} {} {}", fmt::join(words.begin(), words.end() - 1, ", "), last,
                     words.back());
}

void put_first(Metrics& metrics, const std::string& name) {
  const auto found = std::find_if(metrics.begin(), metrics.end(),
                                  [&](const auto& metric) { return metric.first == name; });
  std::rotate(metrics.begin(), found, found + 1);
}

std::vector<double> parse_class_weights(const std::string& text,
                                        const std::vector<std::string>& names,
                                        const std::vector<int64_t>& counts) {
  if (text.empty()) return {};
  std::vector<double> weights(names.size(), 1);
  if (text == "balanced") {  // scikit-learn's: all examples / (classes * the class's examples)
    double all = 0;
    for (const int64_t count : counts) all += static_cast<double>(count);
    for (size_t c = 0; c < names.size(); ++c)
      if (counts[c] > 0)
        weights[c] = all / (static_cast<double>(names.size()) * static_cast<double>(counts[c]));
    return weights;
  }
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const size_t equals = part.rfind('=');
    double value = 0;
    if (equals != std::string::npos)
      std::from_chars(part.data() + equals + 1, part.data() + part.size(), value);
    if (!(value > 0))
      fail(
          "options.class_weights {}: '{}' is not NAME=WEIGHT with a weight above 0 (or give "
          "balanced)",
          text, part);
    const auto found = std::find(names.begin(), names.end(), part.substr(0, equals));
    if (found == names.end())
      fail("options.class_weights {}: there is no class '{}'", text, part.substr(0, equals));
    weights[static_cast<size_t>(found - names.begin())] = value;
    begin = end + 1;
  }
  return weights;
}

void refuse_glue(const TaskOptions& o) {
  check(o.text.glue.empty(), "options.glue {} is for classify and regress, not for {}", o.text.glue,
        o.kind);
}

void refuse_smoothing(const TaskOptions& o) {
  check(o.text.label_smoothing == 0 && o.text.focal_gamma == 0,
        "options.label_smoothing and options.focal_gamma are for classify");
}

void refuse_class_weights(const TaskOptions& o) {
  check(o.class_weights.empty(), "options.class_weights is for classify and ner");
}

void refuse_class_losses(const TaskOptions& o) {
  check(o.text.label_smoothing == 0 && o.text.focal_gamma == 0 && o.class_weights.empty(),
        "options.label_smoothing, options.focal_gamma and options.class_weights are for classify");
}

}  // namespace gradus
