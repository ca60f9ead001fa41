// Charts: curves and bars as SVG, for a page or a file of its own, and curves as text, for a
// terminal.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradus {

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  // x ascending; what is not finite is left out
  bool dots = false;                              // few points, each a dot (evaluations)
};

struct ChartOptions {
  std::string title = {}, x_label = {}, y_label = {};
  bool log_x = false, log_y = false;  // values at or below 0 are left out
};

std::string svg_chart(const std::vector<Series>& series, const ChartOptions& options);

// A bar for each name, from the first down, with its value as text.
struct Bar {
  std::string name;
  double value;
  std::string text;
};
std::string svg_bars(const std::vector<Bar>& bars, const std::string& title);

// `width` columns and `height` lines of dots (Braille patterns, two by four a character), with the
// axes' ends. Each series but the first is drawn with a letter of its own, named below.
std::string text_chart(const std::vector<Series>& series, const ChartOptions& options,
                       int width = 64, int height = 10);

// The text as it is shown in HTML or SVG.
std::string escaped(std::string_view text);
// A whole page: its head, style and body.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace gradus
