#include "gradus/tasks/labels.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "gradus/base/error.h"

namespace gradus {
namespace {

bool is_number(const std::string& name, double& value) {
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  return error == std::errc() && end == name.data() + name.size();
}

}  // namespace

LabelTable::LabelTable(std::vector<std::string> names) : names_(std::move(names)) {
  for (size_t i = 0; i < names_.size(); ++i) {
    check(!names_[i].empty(), "label {} has an empty name", i);
    check(ids_.emplace(names_[i], static_cast<int32_t>(i)).second, "the label '{}' is given twice",
          names_[i]);
  }
}

LabelTable LabelTable::sorted(const std::set<std::string>& names) {
  std::vector<std::pair<double, std::string>> numbers;
  for (const auto& name : names)
    if (double value; is_number(name, value)) numbers.emplace_back(value, name);
  if (numbers.size() != names.size()) return LabelTable({names.begin(), names.end()});
  std::sort(numbers.begin(), numbers.end());
  std::vector<std::string> in_order;
  for (auto& [value, name] : numbers) in_order.push_back(std::move(name));
  return LabelTable(std::move(in_order));
}

int32_t LabelTable::find(const std::string& name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? -1 : found->second;
}

int32_t LabelTable::id(const std::string& name, const std::string& file, int64_t line) const {
  const int32_t id = find(name);
  if (id < 0)
    fail("{}:{}: the label '{}' is unknown; the labels are: {}", file, line, name,
         fmt::join(names_, ", "));
  return id;
}

LabelTable collect_labels(const TextSet& set) {
  std::set<std::string> names;
  for (const auto& example : set.examples)
    names.insert(example.labels.begin(), example.labels.end());
  check(!names.empty(), "{}: no example has a label", set.file);
  return LabelTable::sorted(names);
}

std::vector<int32_t> label_ids(const TextSet& set, const LabelTable& table) {
  std::vector<int32_t> ids;
  for (const auto& example : set.examples)
    ids.push_back(table.id(example.labels.at(0), set.file, example.line));
  return ids;
}

std::vector<std::vector<uint8_t>> label_rows(const TextSet& set, const LabelTable& table) {
  std::vector<std::vector<uint8_t>> rows;
  for (const auto& example : set.examples) {
    auto& row = rows.emplace_back(table.names().size(), uint8_t{0});
    for (const auto& label : example.labels)
      row[static_cast<size_t>(table.id(label, set.file, example.line))] = 1;
  }
  return rows;
}

std::vector<int64_t> count_labels(const std::vector<int32_t>& ids, int32_t classes) {
  std::vector<int64_t> counts(static_cast<size_t>(classes), 0);
  for (const int32_t id : ids)
    if (id >= 0) ++counts.at(static_cast<size_t>(id));
  return counts;
}

std::vector<int64_t> count_labels(const std::vector<std::vector<uint8_t>>& rows) {
  std::vector<int64_t> counts(rows.empty() ? 0 : rows[0].size(), 0);
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) counts[i] += row[i];
  return counts;
}

std::vector<size_t> most_frequent(const std::vector<int64_t>& counts, size_t most) {
  std::vector<size_t> classes(counts.size());
  std::iota(classes.begin(), classes.end(), size_t{0});
  if (classes.size() <= most) return classes;
  std::stable_sort(classes.begin(), classes.end(),
                   [&](size_t a, size_t b) { return counts[a] > counts[b]; });
  classes.resize(most);
  return classes;
}

std::string label_distribution(const LabelTable& table, const std::vector<int64_t>& training,
                               const std::vector<int64_t>& validation) {
  const std::vector<size_t> shown = most_frequent(training);
  size_t width = 5;
  for (const size_t i : shown) width = std::max(width, table.names()[i].size());
  std::string text = fmt::format("{:>4}  {:<{}}  {:>16}", "id", "label", width, "training");
  text += validation.empty() ? "\n" : fmt::format("  {:>16}\n", "validation");
  const auto sum = [](const std::vector<int64_t>& counts) {
    return std::accumulate(counts.begin(), counts.end(), int64_t{0});
  };
  const int64_t all_training = sum(training), all_validation = sum(validation);
  const auto add = [&](const std::vector<int64_t>& counts, int64_t total, size_t i) {
    text += fmt::format(
        "  {:>8} {:5.1f} %", counts[i],
        total ? 100.0 * static_cast<double>(counts[i]) / static_cast<double>(total) : 0.0);
  };
  for (const size_t i : shown) {
    text += fmt::format("{:>4}  {:<{}}", i, table.names()[i], width);
    add(training, all_training, i);
    if (!validation.empty()) add(validation, all_validation, i);
    text += '\n';
  }
  if (const size_t more = table.names().size() - shown.size(); more > 0)
    text += fmt::format("and {} more labels, with fewer examples\n", more);
  std::vector<std::string> missing;
  for (size_t i = 0; i < table.names().size(); ++i)
    if (training[i] == 0) missing.push_back(table.names()[i]);
  if (const size_t count = missing.size(); count > 0) {
    missing.resize(std::min<size_t>(count, 20));
    text += fmt::format("No training example is of: {}{}. What has no example cannot be learned.\n",
                        fmt::join(missing, ", "),
                        count > 20 ? fmt::format(" and {} more", count - 20) : "");
  }
  return text;
}

}  // namespace gradus
