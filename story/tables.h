// The story world's words: tables whose rows are the world's people, trades, animals ... and whose
// columns are the words that go with one of them, so that one word tells another: baker, bakery,
// bakes, bread. Each table holds the rows of the small world first; the large world adds the rest.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::story {

enum class World { small, large };  // about 500 and about 2,150 words

struct Table {
  std::string name;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;

  int column(std::string_view column_name) const;  // an unknown name is an Error
};

const Table& table(World world, std::string_view name);
std::span<const Table> tables(World world);

}  // namespace gradus::story
