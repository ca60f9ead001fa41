#include "gradus/base/chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace gradus {
namespace {

// Colours that are told apart by most eyes (Okabe and Ito 2008).
constexpr std::array<const char*, 5> colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                "#e69f00"};

struct Axis {
  double low = 0, high = 1;
  bool log = false;

  double place(double value) const {  // 0 to 1
    return log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  }
  bool shows(double value) const { return std::isfinite(value) && (!log || value > 0); }

  // Round numbers inside: 1, 2 or 5 times a power of ten.
  std::vector<double> ticks() const {
    std::vector<double> at;
    if (log) {
      for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10)
        for (const double digit : {1, 3})
          if (digit * power >= low && digit * power <= high) at.push_back(digit * power);
      return at;
    }
    const double rough = (high - low) / 5, power = std::pow(10, std::floor(std::log10(rough)));
    double step = power;
    for (const double digit : {2.0, 5.0, 10.0})
      if (step < rough) step = digit * power;
    for (double i = std::ceil(low / step); i * step <= high + step * 1e-9; ++i)
      at.push_back(i * step);
    return at;
  }
};

Axis axis_of(const std::vector<Series>& series, bool log, bool of_x) {
  Axis axis{INFINITY, -INFINITY, log};
  for (const Series& one : series)
    for (const auto& [x, y] : one.points)
      if (const double value = of_x ? x : y; axis.shows(value)) {
        axis.low = std::min(axis.low, value);
        axis.high = std::max(axis.high, value);
      }
  if (!(axis.low <= axis.high)) return {log ? 0.1 : 0, 1, log};
  if (axis.low == axis.high) axis.high = log ? axis.low * 2 : axis.low + 1;
  return axis;
}

std::string number(double value) {
  const double size = std::abs(value);
  if (size >= 1e9) return fmt::format("{:.4g}G", value / 1e9);
  if (size >= 1e6) return fmt::format("{:.4g}M", value / 1e6);
  if (size >= 1e4) return fmt::format("{:.4g}k", value / 1e3);
  return fmt::format("{:.4g}", value);
}

template <class F>
void for_each_shown(const Series& series, const Axis& x, const Axis& y, F&& f) {
  for (const auto& [px, py] : series.points)
    if (x.shows(px) && y.shows(py)) f(x.place(px), y.place(py));
}

}  // namespace

std::string svg_chart(const std::vector<Series>& series, const ChartOptions& options) {
  constexpr double width = 680, height = 320, left = 60, right = 16, top = 34, bottom = 46;
  constexpr double inner_width = width - left - right, inner_height = height - top - bottom;
  const Axis x = axis_of(series, options.log_x, true), y = axis_of(series, options.log_y, false);
  const auto at_x = [&](double place) { return left + place * inner_width; };
  const auto at_y = [&](double place) { return top + (1 - place) * inner_height; };
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\" "
      "aria-label=\"{2}\">\n<text x=\"{3}\" y=\"18\" font-size=\"14\" "
      "font-weight=\"bold\">{2}</text>\n",
      width, height, escaped(options.title), left);
  for (const double tick : x.ticks())
    svg += fmt::format(
        "<line x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\" stroke=\"#ddd\"/><text "
        "x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\" fill=\"#555\">{4}</text>\n",
        at_x(x.place(tick)), top, height - bottom, height - bottom + 16, number(tick));
  for (const double tick : y.ticks())
    svg += fmt::format(
        "<line x1=\"{1}\" y1=\"{0:.1f}\" x2=\"{2}\" y2=\"{0:.1f}\" stroke=\"#ddd\"/><text "
        "x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\" fill=\"#555\">{5}</text>\n",
        at_y(y.place(tick)), left, width - right, left - 6, at_y(y.place(tick)) + 4, number(tick));
  svg += fmt::format(
      "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555\">{}</text>\n"
      "<text transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\" "
      "fill=\"#555\">{}</text>\n",
      left + inner_width / 2, height - 8, escaped(options.x_label), top + inner_height / 2,
      escaped(options.y_label));
  double legend = width - right;
  for (size_t s = 0; s < series.size(); ++s) {
    const char* colour = colours[s % colours.size()];
    std::string line, dots;
    for_each_shown(series[s], x, y, [&](double px, double py) {
      line += fmt::format("{:.1f},{:.1f} ", at_x(px), at_y(py));
      if (series[s].dots)
        dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>", at_x(px),
                            at_y(py), colour);
    });
    svg += fmt::format(
        "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" points=\"{}\"/>{}\n", colour,
        line, dots);
    svg += fmt::format("<text x=\"{}\" y=\"18\" text-anchor=\"end\" fill=\"{}\">{}</text>\n",
                       legend, colour, escaped(series[s].name));
    legend -= 12 + 7 * static_cast<double>(series[s].name.size());
  }
  return svg + "</svg>\n";
}

std::string svg_bars(const std::vector<Bar>& bars, const std::string& title) {
  constexpr double width = 680, left = 190, right = 130, row = 20, top = 30;
  double largest = 0;
  for (const Bar& bar : bars) largest = std::max(largest, bar.value);
  const double height = top + row * static_cast<double>(bars.size()) + 6;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\" "
      "aria-label=\"{2}\">\n<text x=\"0\" y=\"18\" font-size=\"14\" "
      "font-weight=\"bold\">{2}</text>\n",
      width, height, escaped(title));
  for (size_t i = 0; i < bars.size(); ++i) {
    const double y = top + row * static_cast<double>(i);
    const double size = largest > 0 ? bars[i].value / largest * (width - left - right) : 0;
    svg += fmt::format(
        "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text><rect x=\"{}\" y=\"{:.1f}\" "
        "width=\"{:.1f}\" height=\"{}\" fill=\"{}\"/><text x=\"{:.1f}\" y=\"{:.1f}\" "
        "fill=\"#555\">{}</text>\n",
        left - 6, y + 13, escaped(bars[i].name), left, y + 2, size, row - 5, colours[0],
        left + size + 6, y + 13, escaped(bars[i].text));
  }
  return svg + "</svg>\n";
}

std::string text_chart(const std::vector<Series>& series, const ChartOptions& options, int width,
                       int height) {
  const Axis x = axis_of(series, options.log_x, true), y = axis_of(series, options.log_y, false);
  const int columns = 2 * width, rows = 4 * height;
  std::vector<unsigned> cells(static_cast<size_t>(width * height));
  std::vector<char> letters(cells.size());
  const auto cell = [&](double px, double py, int& column, int& row) {
    column = std::clamp(static_cast<int>(px * (columns - 1) + 0.5), 0, columns - 1);
    row = std::clamp(static_cast<int>((1 - py) * (rows - 1) + 0.5), 0, rows - 1);
    return static_cast<size_t>(row / 4 * width + column / 2);
  };
  // the bits of a Braille pattern, by row and column
  constexpr unsigned bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
  for (size_t s = 0; s < series.size(); ++s)
    for_each_shown(series[s], x, y, [&](double px, double py) {
      int column, row;
      const size_t at = cell(px, py, column, row);
      if (s == 0) cells[at] |= bits[row % 4][column % 2];
      else letters[at] = static_cast<char>('a' + static_cast<char>(s) - 1);
    });
  const std::string top = number(y.high), bottom = number(y.low);
  const size_t margin = std::max(top.size(), bottom.size());
  std::string text;
  for (int r = 0; r < height; ++r) {
    const std::string label = r == 0 ? top : r == height - 1 ? bottom : "";
    text += fmt::format("{:>{}} ┤", label, margin);
    for (int c = 0; c < width; ++c) {
      const auto at = static_cast<size_t>(r * width + c);
      const unsigned code = 0x2800 + cells[at];
      if (letters[at]) text += letters[at];
      else if (!cells[at]) text += ' ';
      else {
        text += static_cast<char>(0xE0 | (code >> 12));
        text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        text += static_cast<char>(0x80 | (code & 0x3F));
      }
    }
    while (text.back() == ' ') text.pop_back();
    text += '\n';
  }
  const std::string from = number(x.low), to = number(x.high);
  text += fmt::format("{:{}} └", "", margin);
  for (int c = 0; c < width; ++c) text += "─";
  const int gap = std::max(1, width - static_cast<int>(from.size() + to.size()));
  text += fmt::format("\n{:{}}  {}{:{}}{}  {}\n", "", margin, from, "", gap, to, options.x_label);
  text += fmt::format("{:{}}  {}", "", margin, series.empty() ? "" : "⠒ " + series[0].name);
  for (size_t s = 1; s < series.size(); ++s)
    text +=
        fmt::format("   {} {}", static_cast<char>('a' + static_cast<char>(s) - 1), series[s].name);
  return text;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else out += c;
  }
  return out;
}

std::string html_page(const std::string& title, const std::string& body) {
  return fmt::format(
      R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{0}</title>
<style>
body {{ font: 15px/1.45 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }}
table {{ border-collapse: collapse; margin: 1em 0 }}
th, td {{ padding: .2em .8em .2em 0; text-align: left; vertical-align: top }}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums }}
tr + tr td {{ border-top: 1px solid #eee }}
svg {{ max-width: 100%; height: auto; margin: .5em 0 }}
.masked {{ background: #ffe08a }} .replaced {{ background: #f5b7b1 }}
.kept {{ background: #aed6f1 }}
.piece {{ border-radius: 3px; padding: 0 2px }} .note {{ color: #666 }}
</style>
</head>
<body>
<h1>{0}</h1>
{1}</body>
</html>
)",
      escaped(title), body);
}

}  // namespace gradus
