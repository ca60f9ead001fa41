#include "gradus/base/chart.h"

#include <algorithm>
#include <cmath>

#include "tests/support.h"

using namespace gradus;

namespace {
int64_t count(const std::string& text, const std::string& part) {
  int64_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}
}  // namespace

TEST_CASE("a chart draws what is finite, and escapes what it is told") {
  const Series curve{"loss <1>", {{0, 4}, {1, NAN}, {2, 2}, {3, INFINITY}, {4, 1}}, true};
  const std::string svg = svg_chart({curve}, {.title = "a & b", .x_label = "steps"});
  CHECK(count(svg, "<circle") == 3);
  CHECK(count(svg, "<polyline") == 1);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK_MENTIONS(svg, "a &amp; b", "loss &lt;1&gt;", "steps", "</svg>");
  // the corners: the first point is the highest and leftmost, the last the lowest and rightmost
  CHECK_MENTIONS(svg, "points=\"60.0,34.0 ");
  CHECK_MENTIONS(svg, "664.0,274.0 \"");
  // on logarithms, what is not above 0 is left out
  const Series powers{"powers", {{0, 1}, {1, 10}, {10, 100}, {100, -1}}, true};
  CHECK(count(svg_chart({powers}, {.log_x = true, .log_y = true}), "<circle") == 2);
}

TEST_CASE("charts of nothing, and of one point, are charts") {
  for (const bool log : {false, true}) {
    const ChartOptions options{.log_x = log, .log_y = log};
    for (const auto& series :
         {std::vector<Series>{}, {Series{"none", {}, false}}, {Series{"one", {{5, 5}}, true}}}) {
      CHECK_MENTIONS(svg_chart(series, options), "</svg>");
      CHECK(svg_chart(series, options).find("nan") == std::string::npos);
      CHECK_FALSE(text_chart(series, options).empty());
    }
  }
  CHECK_MENTIONS(svg_bars({}, "no bars"), "no bars");
  CHECK(count(svg_bars({{"a", 2, "2"}, {"b", 0, "0"}}, "two"), "<rect") == 2);
}

TEST_CASE("a curve as text: its ends on the axes, one letter for each further series") {
  Series falling{"training", {}, false};
  for (int i = 0; i <= 100; ++i) falling.points.emplace_back(i, 5 - i / 25.0);
  const Series judged{"held out", {{50, 4}, {100, 2}}, true};
  const std::string text = text_chart({falling, judged}, {.x_label = "steps"}, 40, 8);
  CHECK(count(text, "\n") == 10);
  CHECK_MENTIONS(text, "5 ┤", "1 ┤", "100  steps", "⠒ training", "a held out");
  CHECK(count(text.substr(0, text.find("└")), "a") == 2);
}

TEST_CASE("a page is whole, and its title is text") {
  const std::string page = html_page("<x>", "<p>hello</p>");
  CHECK_MENTIONS(page, "<!doctype html>", "&lt;x&gt;", "<p>hello</p>", "</html>");
}
