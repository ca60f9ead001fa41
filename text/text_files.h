// The text that people have: files as they are or compressed (gzip, zstd), JSON lines, folders of
// them, globs, standard input. A TextFileReader reads one, line by line, in memory that does not
// grow with it. Errors name the file and the line.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

// What is to be known to read them.
struct TextFormat {
  // JSON lines are files called .jsonl, .ndjson or .json (with .gz or .zst behind): an object a
  // line, whose member of this name is a text; without a name, "text". Standard input is JSON lines
  // where it is given.
  std::optional<std::string> text_column = {};
  bool replace_invalid = false;  // read invalid UTF-8 as U+FFFD
};

// The files that a list names. A folder stands for those in it, at any depth, that are called .txt,
// .jsonl or .ndjson, with or without .gz or .zst, in order of name; "books/*.txt" for what fits it;
// "-" is standard input. Errors begin with `option`: missing, empty folder, named twice.
std::vector<std::filesystem::path> text_files(const std::vector<std::filesystem::path>& paths,
                                              const char* option);

// The sum of their bytes as they lie there; 0 where one has no size (standard input, a pipe).
int64_t total_bytes(const std::vector<std::filesystem::path>& files);

struct TextLine {
  std::string_view text;     // without its \n or \r\n; valid until the next one is read
  int64_t number = 0;        // of the file's line, from 1; in JSON lines, that of the object
  bool part = false;         // of a line above 1 MiB: the next is its continuation
  bool ends_record = false;  // in JSON lines: the last line of its object's text
};

class TextFileReader {
 public:
  // Lines (of JSON lines: objects) up to number `skip` are passed over.
  TextFileReader(const std::filesystem::path& path, const TextFormat& format, int64_t skip = 0);
  ~TextFileReader();

  bool next(TextLine& line);  // false at the end

  bool json_lines() const;
  int64_t taken() const;  // bytes of the file itself that were read: how far it is
  uint64_t hash() const;  // hash_bytes() of those

 private:
  struct Lines;
  struct Records;
  std::unique_ptr<Lines> lines_;
  std::unique_ptr<Records> records_;  // of JSON lines
};

}  // namespace gradus
