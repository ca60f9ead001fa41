#include "gradus/train/curve.h"

#include <cmath>

#include "gradus/base/chart.h"
#include "gradus/base/error.h"
#include "gradus/base/file.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t most_points = 300;  // of a series: more become means of neighbours

bool is_number(const Json& line, const std::string& name) {
  return line.contains(name) && line.at(name).is_number();
}

struct Curves {
  std::string x_label = "steps";
  Series loss{"training loss", {}, false};
  std::vector<Series> judged_losses, judged_others;
};

Series thinned(Series series) {
  const size_t group = (series.points.size() + most_points - 1) / most_points;
  if (group < 2) return series;
  std::vector<std::pair<double, double>> points;
  for (size_t begin = 0; begin < series.points.size(); begin += group) {
    const size_t end = std::min(begin + group, series.points.size());
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += series.points[i].second;
    points.emplace_back(series.points[end - 1].first, sum / static_cast<double>(end - begin));
  }
  series.points = std::move(points);
  return series;
}

Curves curves_of(const Json& history) {
  Curves curves;
  bool in_tokens = !history.empty();
  for (const Json& line : history) in_tokens &= is_number(line, "tokens");
  if (in_tokens) curves.x_label = "tokens";
  const auto series_named = [](std::vector<Series>& all, const std::string& name) -> Series& {
    for (Series& series : all)
      if (series.name == name) return series;
    return all.emplace_back(Series{name, {}, true});
  };
  for (const Json& line : history) {
    const char* position = in_tokens ? "tokens" : "step";
    if (!is_number(line, position)) continue;
    const auto x = line.at(position).get<double>();
    if (is_number(line, "loss")) curves.loss.points.emplace_back(x, line.at("loss").get<double>());
    for (const auto& [name, value] : line.items()) {
      if (!name.starts_with("eval_") || !value.is_number()) continue;
      const std::string judged = "held out " + name.substr(5);
      const auto y = value.get<double>();
      if (name.ends_with("loss"))
        series_named(curves.judged_losses, judged).points.emplace_back(x, y);
      else if (std::abs(y) <= 1)  // accuracy, F1, correlation; not counts and perplexity
        series_named(curves.judged_others, judged).points.emplace_back(x, y);
    }
  }
  curves.loss = thinned(std::move(curves.loss));
  return curves;
}

// The examples of up to five evaluations, evenly over the run, the last one among them.
std::string examples_table(const Json& history) {
  std::vector<const Json*> with;
  for (const Json& line : history)
    if (line.contains("examples") && line.at("examples").is_array()) with.push_back(&line);
  if (with.empty()) return {};
  constexpr size_t shown = 5;
  std::string html = "<h2>What it says on the way</h2>\n<table>\n<tr>";
  std::vector<const Json*> columns;
  const size_t count = std::min(shown, with.size());
  for (size_t i = 0; i < count; ++i)
    columns.push_back(with[count == 1 ? with.size() - 1 : i * (with.size() - 1) / (count - 1)]);
  for (const Json* line : columns)
    html += fmt::format("<th>step {}</th>", line->at("step").get<int64_t>());
  html += "</tr>\n";
  for (size_t row = 0; row < columns.back()->at("examples").size(); ++row) {
    html += "<tr>";
    for (const Json* line : columns) {
      const Json& examples = line->at("examples");
      html += fmt::format("<td>{}</td>", row < examples.size() && examples[row].is_string()
                                             ? escaped(examples[row].get<std::string>())
                                             : "");
    }
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

}  // namespace

std::string curve_page(const Json& history, const std::string& title) {
  const Curves curves = curves_of(history);
  std::vector<Series> losses = curves.judged_losses;
  losses.insert(losses.begin(), curves.loss);
  std::string body =
      svg_chart(losses, {.title = "Loss", .x_label = curves.x_label, .y_label = "nat"});
  if (!curves.judged_others.empty())
    body += svg_chart(curves.judged_others, {.title = "Judged", .x_label = curves.x_label});
  return html_page(title, body + examples_table(history));
}

std::string curve_text(const Json& history) {
  const Curves curves = curves_of(history);
  if (curves.loss.points.size() < 8) return {};
  std::vector<Series> losses{curves.loss};
  for (const Series& series : curves.judged_losses)
    if (losses.size() < 3) losses.push_back(series);
  return text_chart(losses, {.x_label = curves.x_label});
}

std::string curve_text(const std::filesystem::path& metrics) {
  Json history = Json::array();
  for_each_line(metrics, [&](std::string_view line, int64_t) {
    Json object = parse_ordered_json(line);
    history.push_back(std::move(object));
  });
  return curve_text(history);
}

}  // namespace gradus
