// LabelTable: the names of the classes; a name's place is its id. Ids never travel without their table: tools order labels differently (of MNLI's three, for
// one), and a model read with the wrong order is confidently wrong.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/tasks/text.h"

namespace gradus {

class LabelTable {
 public:
  LabelTable() = default;
  explicit LabelTable(std::vector<std::string> names);   // in this order: given by a model, a task or the user. Empty or repeated names are an Error
  static LabelTable sorted(const std::set<std::string>& names);   // by name, or where all are numbers by number

  int32_t size() const { return static_cast<int32_t>(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }
  const std::string& name(int32_t id) const { return names_.at(static_cast<size_t>(id)); }
  int32_t find(const std::string& name) const;   // -1: unknown
  int32_t id(const std::string& name, const std::string& file, int64_t line) const;   // unknown: an Error with file, line and the labels known

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, int32_t> ids_;
};

LabelTable collect_labels(const TextSet& set);   // those that occur, sorted

std::vector<int32_t> label_ids(const TextSet& set, const LabelTable& table);                 // the one label of each example
std::vector<std::vector<uint8_t>> label_rows(const TextSet& set, const LabelTable& table);   // many: [examples][classes], 1 where it has the label

// How often each class occurs.
std::vector<int64_t> count_labels(const std::vector<int32_t>& ids, int32_t classes);   // negative ids count for nothing
std::vector<int64_t> count_labels(const std::vector<std::vector<uint8_t>>& rows);

// The classes with their counts and shares, for people. A class without an example is named below the table: it cannot be learned.
std::string label_distribution(const LabelTable& table, const std::vector<int64_t>& training, const std::vector<int64_t>& validation = {});

}  // namespace gradus
