#include "gradus/data/table.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "gradus/base/error.h"
#include "gradus/base/json.h"

namespace gradus {
namespace {

TableFormat format_of(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  if (extension == ".gz" || extension == ".zst") extension = path.stem().extension().string();
  if (extension == ".tsv") return TableFormat::tsv;
  if (extension == ".csv") return TableFormat::csv;
  if (extension == ".jsonl" || extension == ".json") return TableFormat::jsonl;
  fail("{}: the name does not say what the table is; .tsv, .csv and .jsonl do, or give the format",
       path.string());
}

void split_tabs(std::string_view line, std::vector<std::string>& cells) {
  cells.clear();
  for (size_t begin = 0;;) {
    const size_t end = line.find('\t', begin);
    cells.emplace_back(line.substr(begin, end - begin));
    if (end == std::string_view::npos) return;
    begin = end + 1;
  }
}

}  // namespace

TableReader::TableReader(const std::filesystem::path& path, TableOptions options)
    : lines_(path), options_(std::move(options)) {
  if (options_.format == TableFormat::by_name) {
    check(path != "-",
          "standard input has no name that says what the table is: give its format, tsv, csv or "
          "jsonl");
    options_.format = format_of(path);
  }
  if (options_.format == TableFormat::jsonl) {
    check(options_.columns.empty(),
          "{}: JSON lines name their columns themselves; column names cannot be given", file());
    first_waits_ = read_cells(first_);  // sets columns_
    check(first_waits_, "{}: it holds no rows", file());
    return;
  }
  columns_ = options_.columns;
  const bool any = read_cells(first_);
  if (columns_.empty()) {
    check(any, "{}: it is empty, without even a header", file());
    columns_ = first_.cells;
  } else {
    first_waits_ = any && first_.cells != columns_;
  }
  std::set<std::string_view> names;
  for (const auto& name : columns_)
    check(names.insert(name).second,
          "{}: two columns are called '{}'; does the file lack a header? Then name its columns "
          "(options.columns)",
          file(), name);
}

// The next row that is not blank, of any number of cells.
bool TableReader::read_cells(Row& row) {
  std::string line;
  while (lines_.next(line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    row.line = lines_.number();
    if (line.empty() && (columns_.size() != 1 || options_.format == TableFormat::jsonl)) continue;
    if (options_.format == TableFormat::tsv) split_tabs(line, row.cells);
    else if (options_.format == TableFormat::csv) split_csv(std::move(line), row);
    else read_object(line, row);
    return true;
  }
  return false;
}

// RFC 4180. A quote that does not open its cell is an ordinary character.
void TableReader::split_csv(std::string line, Row& row) {
  row.cells.clear();
  for (size_t i = 0;; ++i) {  // a cell each time; i is where it begins
    std::string cell;
    if (i < line.size() && line[i] == '"') {
      for (++i;; ++i) {
        while (i >= line.size()) {  // the line ended inside quotes: the end belongs to the cell
          std::string more;
          if (!lines_.next(more))
            fail("{}:{}: a quoted cell that begins in this row is never closed", file(), row.line);
          // a cell's line ends are \n, whatever the file's are
          if (!cell.empty() && cell.back() == '\r') cell.back() = '\n';
          else cell += '\n';
          line = std::move(more);
          i = 0;
        }
        if (line[i] != '"') cell += line[i];
        else if (i + 1 < line.size() && line[i + 1] == '"') cell += line[i++];
        else break;
      }
      if (++i == line.size() - 1 && line[i] == '\r') line.pop_back();
      if (i < line.size() && line[i] != ',')
        fail(
            "{}:{}: '{}' stands behind the closing quote of cell {}; a comma should, and a quote "
            "inside quotes is written twice",
            file(), lines_.number(), line.substr(i, 10), row.cells.size() + 1);
    } else {
      const size_t end = std::min(line.find(',', i), line.size());
      cell = line.substr(i, end - i);
      i = end;
      if (i == line.size() && !cell.empty() && cell.back() == '\r') cell.pop_back();
    }
    row.cells.push_back(std::move(cell));
    if (i >= line.size()) return;
  }
}

void TableReader::read_object(const std::string& line, Row& row) {
  nlohmann::ordered_json object;
  try {
    object = parse_ordered_json(line);
  } catch (const nlohmann::json::exception& error) {
    fail("{}:{}: not valid JSON: {}", file(), lines_.number(), error.what());
  }
  check(object.is_object(), "{}:{}: each line must be a JSON object, {{\"column\": value, …}}",
        file(), lines_.number());
  if (columns_.empty())
    for (const auto& [key, value] : object.items()) columns_.push_back(key);
  row.cells.clear();
  for (const auto& name : columns_) {
    const auto value = object.find(name);
    if (value == object.end())
      fail("{}:{}: the object has no \"{}\", which the first one has", file(), lines_.number(),
           name);
    if (value->is_string()) row.cells.push_back(value->get<std::string>());
    else row.cells.push_back(value->is_null() ? "" : value->dump());
  }
}

bool TableReader::next(Row& row) {
  for (;;) {
    if (first_waits_) {
      row = std::move(first_);
      first_waits_ = false;
    } else if (!read_cells(row)) {
      return false;
    }
    if (row.cells.size() == columns_.size()) return true;
    if (!options_.skip_ragged)
      fail("{}:{}: the row has {} cells; {} are expected ({})", file(), row.line, row.cells.size(),
           columns_.size(), fmt::join(columns_, ", "));
    if (row.cells.size() > columns_.size()) {
      row.cells.resize(columns_.size());
      return true;
    }
    ++skipped_;
  }
}

bool TableReader::has_column(std::string_view name) const {
  return std::find(columns_.begin(), columns_.end(), name) != columns_.end();
}

size_t TableReader::column(std::string_view name) const {
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found == columns_.end())
    fail(
        "{}: there is no column '{}'; the columns are: {}. (A file without a header needs "
        "options.columns.)",
        file(), name, fmt::join(columns_, ", "));
  return static_cast<size_t>(found - columns_.begin());
}

}  // namespace gradus
