#include "gradus/story/tables.h"

#include <algorithm>
#include <sstream>

#include "gradus/base/error.h"
#include "gradus/story/words.h"

namespace gradus::story {
namespace {

// The text of words.h: "table: columns", then rows of as many words as columns, to the next table;
// the rows behind "large:" are of the large world only.
std::vector<Table> parse(World world) {
  std::vector<Table> result;
  std::istringstream lines{std::string(words)};
  bool skip = false;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream in(line);
    std::string word;
    if (!(in >> word)) continue;
    if (word == "large:") {
      skip = world == World::small;
      continue;
    }
    if (word.back() == ':') {
      skip = false;
      result.push_back({word.substr(0, word.size() - 1), {}, {}});
      while (in >> word) result.back().columns.push_back(word);
      continue;
    }
    if (skip) continue;
    Table& table = result.back();
    do {
      std::vector<std::string> row{word};
      while (row.size() < table.columns.size()) {
        if (!(in >> word))
          fail("story world, table {}: the row of '{}' has too few words", table.name, row[0]);
        row.push_back(word);
      }
      table.rows.push_back(std::move(row));
    } while (in >> word);
  }
  return result;
}

}  // namespace

int Table::column(std::string_view column_name) const {
  const auto found = std::find(columns.begin(), columns.end(), column_name);
  check(found != columns.end(), "story world, table {}: there is no column {}", name, column_name);
  return static_cast<int>(found - columns.begin());
}

std::span<const Table> tables(World world) {
  static const std::vector<Table> small = parse(World::small), large = parse(World::large);
  return world == World::small ? small : large;
}

const Table& table(World world, std::string_view name) {
  for (const Table& table : tables(world))
    if (table.name == name) return table;
  fail("story world: there is no table {}", name);
}

}  // namespace gradus::story
