#include "gradus/tasks/text/text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/base/json.h"

namespace gradus {
namespace {

constexpr std::pair<const char*, const char*> text_conventions[] = {{"sentence1", "sentence2"},
                                                                    {"text_a", "text_b"},
                                                                    {"premise", "hypothesis"},
                                                                    {"question1", "question2"},
                                                                    {"question", "sentence"},
                                                                    {"sentence", ""},
                                                                    {"text", ""}};

TextColumns find_columns(const TableReader& table, TextColumns columns, LabelKind labels) {
  if (columns.first.empty()) {
    check(columns.second.empty(),
          "{}: the column of the second text is given ('{}') and that of the first is not",
          table.file(), columns.second);
    for (const auto& [first, second] : text_conventions) {
      if (!table.has_column(first) || (*second && !table.has_column(second))) continue;
      columns.first = first;
      columns.second = second;
      break;
    }
    if (columns.first.empty())
      fail(
          "{}: no column is called sentence, text, sentence1 and sentence2, or another usual name; "
          "the columns are: {}. Name the text's "
          "column "
          "(options.text_column), or, where the file has no header, all of them (options.columns)",
          table.file(), fmt::join(table.columns(), ", "));
  }
  if (labels == LabelKind::none) columns.label.clear();
  else if (columns.label.empty())
    columns.label = !table.has_column("label") && table.has_column("labels") ? "labels" : "label";
  return columns;
}

}  // namespace

TextReader::TextReader(const std::filesystem::path& path, TextOptions options)
    : table_(path, options.table),
      options_(std::move(options)),
      columns_(find_columns(table_, options_.columns, options_.labels)) {
  first_ = table_.column(columns_.first);
  if (pairs()) second_ = table_.column(columns_.second);
  if (options_.labels != LabelKind::none) label_ = table_.column(columns_.label);
}

std::vector<std::string> TextReader::labels_of(const std::string& cell, int64_t line) const {
  std::vector<std::string> labels;
  if (options_.labels == LabelKind::one) {
    labels = {cell};
  } else if (options_.separator.empty()) {
    const auto list = parse_json(cell, false);
    check(list.is_array(),
          "{}:{}: the labels must be a JSON list of names, as [\"a\", \"b\"], not '{}'; or give "
          "the character between them",
          table_.file(), line, cell);
    for (const auto& label : list)
      labels.push_back(label.is_string() ? label.get<std::string>() : label.dump());
  } else {
    for (size_t begin = 0; begin < cell.size();) {
      const size_t end = std::min(cell.find(options_.separator, begin), cell.size());
      labels.push_back(cell.substr(begin, end - begin));
      begin = end + options_.separator.size();
    }
  }
  for (auto& label : labels) {
    check(!label.empty(), "{}:{}: the label in column '{}' is empty", table_.file(), line,
          columns_.label);
    if (const auto name = options_.names.find(label); name != options_.names.end())
      label = name->second;
  }
  std::vector<std::string> sorted = labels;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    fail("{}:{}: the label '{}' is given twice", table_.file(), line, *twice);
  return labels;
}

bool TextReader::next(TextExample& example) {
  if (!table_.next(row_)) return false;
  example.line = row_.line;
  if (options_.labels == LabelKind::none) example.labels.clear();
  else example.labels = labels_of(row_.cells[label_], row_.line);
  example.first = std::move(row_.cells[first_]);
  if (pairs()) example.second = std::move(row_.cells[second_]);
  return true;
}

TextSet read_texts(const std::filesystem::path& path, TextOptions options) {
  TextReader reader(path, std::move(options));
  TextSet set{reader.table().file(), reader.columns(), {}, 0};
  for (TextExample example; reader.next(example);) set.examples.push_back(std::move(example));
  set.skipped = reader.table().skipped();
  check(!set.examples.empty(), "{}: it holds no examples", set.file);
  return set;
}

std::vector<double> label_values(const TextSet& set) {
  std::vector<double> values;
  for (const auto& example : set.examples) {
    const std::string& label = example.labels.at(0);
    double value = 0;
    const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), value);
    if (error != std::errc() || end != label.data() + label.size() || !std::isfinite(value))
      fail("{}:{}: the label '{}' is not a number", set.file, example.line, label);
    values.push_back(value);
  }
  return values;
}

EncodedTexts encode_texts(const TextSet& set, const Tokenizer& tokenizer, int64_t max_length) {
  EncodedTexts encoded;
  for (const auto& example : set.examples) {
    const Encoding first = tokenizer.encode(example.first),
                   second = set.pairs() ? tokenizer.encode(example.second) : Encoding{};
    encoded.sequences.push_back(set.pairs() ? tokenizer.sequence(first, second, max_length)
                                            : tokenizer.sequence(first, max_length));
    const auto& special = encoded.sequences.back().special;
    const size_t kept = static_cast<size_t>(std::count(special.begin(), special.end(), 0)),
                 all = first.ids.size() + second.ids.size();
    encoded.truncated += kept < all;
    if (all == 0 && encoded.empty++ == 0) encoded.empty_line = example.line;
  }
  return encoded;
}

}  // namespace gradus
