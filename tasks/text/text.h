// Texts and pairs of texts with their labels, from a table: classification, regression (the label
// is a number) and multi-label.
#pragma once

#include <map>

#include "gradus/data/table.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

struct TextExample {
  std::string first, second;  // second is empty in a set of single texts
  // Names: exactly one, in multi-label sets any number of different ones, none where labels were
  // not asked for.
  std::vector<std::string> labels;
  int64_t line = 0;  // of the file, from 1
};

// The names of the columns. By convention, where they are not given: the first of sentence1 +
// sentence2, text_a + text_b, premise + hypothesis, question1 + question2, question + sentence,
// sentence, text that the table has; and label, or labels.
struct TextColumns {
  std::string first = {}, second = {}, label = {};  // second: empty for single texts
};

enum class LabelKind { none, one, many };  // none: the label column is not read and need not exist

struct TextOptions {
  TableOptions table = {};
  // an empty name: by convention; a given first without a second means single texts
  TextColumns columns = {};
  LabelKind labels = LabelKind::one;
  // of many labels in a cell; empty: the cell is a JSON list of strings
  std::string separator = {};
  // what the file's labels are called, where it has codes; others stay as they are
  std::map<std::string, std::string> names = {};
};

// An example at a time. An empty label is an Error with its line; an empty text is data ([CLS]
// [SEP] to a model).
class TextReader {
 public:
  explicit TextReader(const std::filesystem::path& path, TextOptions options = {});
  bool next(TextExample& example);
  bool pairs() const { return !columns_.second.empty(); }
  const TextColumns& columns() const { return columns_; }
  const TableReader& table() const { return table_; }
  bool pauses() { return table_.pauses(); }  // as of LineReader

 private:
  std::vector<std::string> labels_of(const std::string& cell, int64_t line) const;

  TableReader table_;
  TextOptions options_;
  TextColumns columns_;
  size_t first_ = 0, second_ = 0, label_ = 0;  // column numbers
  TableReader::Row row_;
};

struct TextSet {
  std::string file;
  TextColumns columns;
  std::vector<TextExample> examples;
  int64_t skipped = 0;  // ragged rows left out, see TableOptions
  bool pairs() const { return !columns.second.empty(); }
};

// a set without examples is an Error
TextSet read_texts(const std::filesystem::path& path, TextOptions options = {});

// The labels of a regression set. One that is not a finite number is an Error with its line.
std::vector<double> label_values(const TextSet& set);

// What a model reads, cut to max_length tokens as Tokenizer::sequence does it.
struct EncodedTexts {
  std::vector<Sequence> sequences;  // one for each example
  int64_t truncated = 0;            // examples that lost tokens
  // Examples without any token of their own (empty, or nothing but spaces and control characters),
  // and the first one's line.
  int64_t empty = 0, empty_line = 0;
};
EncodedTexts encode_texts(const TextSet& set, const Tokenizer& tokenizer, int64_t max_length);

}  // namespace gradus
