// LabelTable: the names of the classes; a name's place is its id. Ids never travel without their
// table: tools order labels differently (of MNLI's three, for one), and a model read with the wrong
// order is confidently wrong.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "gradus/tasks/text/text.h"

namespace gradus {

class LabelTable {
 public:
  LabelTable() = default;
  // In this order: given by a model, a task or the user. Empty or repeated names are an Error.
  explicit LabelTable(std::vector<std::string> names);
  // by name, or where all are numbers by number
  static LabelTable sorted(const std::set<std::string>& names);

  int32_t size() const { return static_cast<int32_t>(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }
  const std::string& name(int32_t id) const { return names_.at(static_cast<size_t>(id)); }
  int32_t find(const std::string& name) const;  // -1: unknown
  // The same for a label that was read in this place: unknown is an Error with file, line and the
  // labels known.
  int32_t id(const std::string& name, const std::string& file, int64_t line) const;

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, int32_t> ids_;
};

LabelTable collect_labels(const TextSet& set);  // those that occur, sorted

// The one label of each example; or, of many, [examples][classes], 1 where the example has the
// label. An unknown one is an Error, as in id().
std::vector<int32_t> label_ids(const TextSet& set, const LabelTable& table);
std::vector<std::vector<uint8_t>> label_rows(const TextSet& set, const LabelTable& table);

// How often each class occurs.
// negative ids count for nothing
std::vector<int64_t> count_labels(const std::vector<int32_t>& ids, int32_t classes);
std::vector<int64_t> count_labels(const std::vector<std::vector<uint8_t>>& rows);

// The numbers of the classes with the largest counts, at most so many: for a table that people
// read.
// All of them, in their order, where they are no more.
std::vector<size_t> most_frequent(const std::vector<int64_t>& counts, size_t most = 100);

// The classes with their counts and shares, for people. A class without an example is named below
// the table: it cannot be learned.
std::string label_distribution(const LabelTable& table, const std::vector<int64_t>& training,
                               const std::vector<int64_t>& validation = {});

}  // namespace gradus
