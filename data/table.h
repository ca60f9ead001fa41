// Tables, as people keep them: TSV, CSV and JSON lines as rows of named columns. An Error names the
// file, the line and what would have been right.
#pragma once

#include <string_view>
#include <vector>

#include "gradus/data/line_reader.h"

namespace gradus {

// tsv: cells are what stands between tabs, quotes are ordinary characters (as in GLUE). csv: RFC
// 4180, with "quoted, cells", "" for a quote, and line ends inside quotes. jsonl: an object a line.
// by_name: .tsv, .csv, and .jsonl or .json (and .gz or .zst behind).
enum class TableFormat { by_name, tsv, csv, jsonl };

struct TableOptions {
  TableFormat format = TableFormat::by_name;
  // Given: the file has no header and these are its columns (a first row that repeats exactly these
  // names is still taken for one). Otherwise the first row names the columns. Not for JSON lines,
  // which name theirs themselves.
  std::vector<std::string> columns = {};
  // Rows with too few cells are counted and left out, cells too many are ignored: what readers of
  // GLUE's QQP do. Otherwise both are an Error.
  bool skip_ragged = false;
};

// Reads a row at a time, in the memory of a row; a byte-order mark, \r\n and blank lines (in tables
// of more than one column) are not data. In JSON lines the columns are the keys of the first
// object: every later one must have them, and may have more; a cell is the string, or the JSON text
// of a number or list; null is "".
class TableReader {
 public:
  struct Row {
    std::vector<std::string> cells;  // one for each column
    int64_t line = 0;                // where the row begins, from 1
  };

  // "-": standard input, whose format must be given
  explicit TableReader(const std::filesystem::path& path, TableOptions options = {});

  bool next(Row& row);                                        // false at the end
  bool pauses() { return !first_waits_ && lines_.pauses(); }  // as of LineReader

  const std::string& file() const { return lines_.file(); }
  const std::vector<std::string>& columns() const { return columns_; }
  // the number of a column; none of this name is an Error that lists those there are
  size_t column(std::string_view name) const;
  bool has_column(std::string_view name) const;
  int64_t skipped() const { return skipped_; }  // rows left out by skip_ragged

 private:
  bool read_cells(Row& row);
  void split_csv(std::string line, Row& row);
  void read_object(const std::string& line, Row& row);

  LineReader lines_;
  TableOptions options_;
  std::vector<std::string> columns_;
  Row first_;  // a row that was read to learn the columns, and is data
  bool first_waits_ = false;
  int64_t skipped_ = 0;
};

}  // namespace gradus
