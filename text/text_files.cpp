#include "gradus/text/text_files.h"

#include <fmt/ranges.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <set>

#include "gradus/base/byte_stream.h"
#include "gradus/base/error.h"
#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "gradus/base/parallel.h"

namespace gradus {
namespace fs = std::filesystem;
namespace {

// Longer lines come in parts.
constexpr size_t longest_line = size_t{1} << 20;
// An object of JSON lines is in memory as a whole.
constexpr size_t longest_record = size_t{1} << 28;
// JSON that is parsed at once, on all threads.
constexpr size_t batch_bytes = size_t{4} << 20;

// ".txt" of "a.txt.gz"
std::string kind_of(const fs::path& path) {
  const std::string last = path.extension().string();
  return last == ".gz" || last == ".zst" ? path.stem().extension().string() : last;
}

bool is_json_lines(const fs::path& path) {
  const std::string kind = kind_of(path);
  return kind == ".jsonl" || kind == ".ndjson" || kind == ".json";
}

std::vector<fs::path> files_in(const fs::path& folder, const char* option) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string kind = kind_of(entry.path());
    if (entry.is_regular_file() && (kind == ".txt" || kind == ".jsonl" || kind == ".ndjson"))
      files.push_back(entry.path());
  }
  check(!files.empty(),
        "{} {}: the folder has no *.txt and no *.jsonl files (as they are, or .gz, .zst)", option,
        folder.string());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> files_that_fit(const std::string& pattern) {
  std::vector<fs::path> files;
  glob_t found;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return files;
}

}  // namespace

std::vector<fs::path> text_files(const std::vector<fs::path>& paths, const char* option) {
  std::vector<fs::path> files;
  const auto add = [&](const fs::path& path) {
    std::error_code error;
    if (path != "-" && fs::is_directory(path, error)) {
      const auto inside = files_in(path, option);
      files.insert(files.end(), inside.begin(), inside.end());
    } else {
      // what a shell's <(command) names is a pipe that somebody writes; another may wait for ever
      check(
          path == "-" || fs::is_regular_file(path, error) || path.string().starts_with("/dev/fd/"),
          "{} {}: it is not a regular file; give a pipe as standard input, -", option,
          path.string());
      files.push_back(path);
    }
  };
  for (const auto& path : paths) {
    std::error_code error;
    if (path == "-" || fs::exists(path, error)) {
      add(path);
      continue;
    }
    const auto fitting = files_that_fit(path.string());
    const bool is_pattern = path.string().find_first_of("*?[") != std::string::npos;
    check(!fitting.empty(), "{} {}: {}", option, path.string(),
          is_pattern ? "no file fits it" : "there is no such file");
    for (const auto& file : fitting) add(file);
  }
  std::set<fs::path> seen;
  for (const auto& file : files)
    check(seen.insert(fs::is_regular_file(file) ? fs::canonical(file) : file).second,
          "{} {}: the file is named twice", option, file.string());
  return files;
}

int64_t total_bytes(const std::vector<fs::path>& files) {
  int64_t sum = 0;
  for (const auto& file : files) {
    std::error_code error;
    if (file == "-" || !fs::is_regular_file(file, error)) return 0;
    sum += static_cast<int64_t>(fs::file_size(file));
  }
  return sum;
}

// Lines as they come from the stream.
struct TextFileReader::Lines {
  ByteStream stream;
  bool replace_invalid;
  size_t longest;  // of a line that is not cut
  std::string buffer = {}, replaced = {};
  size_t at = 0, searched = 0;
  int64_t number = 0;  // of the line read last
  bool ended = false, inside = false;

  // Reads until the buffer holds the next line or as much of it as is given at once; returns its
  // end.
  size_t find_end() {
    for (;;) {
      const size_t end = buffer.find('\n', std::max(at, searched));
      if (end != std::string::npos) return end;
      if (ended || buffer.size() - at > longest) return buffer.size();
      buffer.erase(0, at);
      searched = buffer.size();
      at = 0;
      const size_t size = buffer.size(), piece = size_t{1} << 18;
      buffer.resize(size + piece);
      const size_t got = stream.read(buffer.data() + size, piece);
      buffer.resize(size + got);
      ended = got == 0;
    }
  }

  bool next(TextLine& line) {
    const size_t end = find_end();
    if (at == buffer.size() && ended) return false;
    std::string_view text = std::string_view(buffer).substr(at, end - at);
    if (!inside) ++number;
    line = {{}, number};
    if (text.size() > longest) {
      text = text.substr(0, part_of(text, longest));
      line.part = true;
      at += text.size();
    } else {
      at = std::min(end + 1, buffer.size());
      if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    }
    searched = at;
    if (number == 1 && !inside && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    inside = line.part;
    if (replace_invalid && find_invalid_utf8(text) != std::string_view::npos) {
      replaced = replace_invalid_utf8(text);
      text = replaced;
    } else {
      check_utf8(text, stream.name(), number,
                 ", or read it as U+FFFD, with options.replace_invalid");
    }
    line.text = text;
    return true;
  }
};

// The texts of JSON lines, parsed many at once.
struct TextFileReader::Records {
  Lines& lines;
  std::string column;
  struct Record {
    int64_t number;
    std::string text;   // of the object; at first the object itself
    std::string error;  // or what is wrong with it
  };
  std::vector<Record> records = {};
  size_t record = 0, at = 0;  // where the next line begins

  void parse(Record& r) const {
    const auto wrong = [&](const std::string& what) {
      r.error = fmt::format("{}:{}: {}", lines.stream.name(), r.number, what);
    };
    const nlohmann::json object = parse_json(r.text, false);
    if (!object.is_object())
      return wrong(
          fmt::format("this is no JSON object; JSON lines have one on each line, as "
                      "{{\"{}\": \"…\"}}",
                      column));
    const auto found = object.find(column);
    if (found == object.end()) {
      std::vector<std::string> names;
      for (const auto& [name, value] : object.items()) names.push_back(name);
      return wrong(
          fmt::format("the object has no '{}' (options.text_column); it has {}", column,
                      names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "))));
    }
    if (!found->is_string() && !found->is_null())
      return wrong(fmt::format("'{}' is {}, not a text", column, found->type_name()));
    r.text = found->is_null() ? std::string() : found->get<std::string>();
  }

  // The next batch, which may be empty; false: the file has ended.
  bool fill() {
    records.clear();
    record = at = 0;
    TextLine line;
    bool more = true;
    for (size_t bytes = 0; bytes < batch_bytes && (more = lines.next(line));
         bytes += line.text.size()) {
      check(!line.part, "{}:{}: an object of more than {} MB; has the file no line ends?",
            lines.stream.name(), line.number, longest_record >> 20);
      if (line.text.find_first_not_of(" \t") == std::string_view::npos) continue;
      records.push_back({line.number, std::string(line.text), {}});
    }
    parallel_for(static_cast<int64_t>(records.size()), 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) parse(records[static_cast<size_t>(i)]);
    });
    return more || !records.empty();
  }

  bool next(TextLine& line) {
    while (record == records.size())
      if (!fill()) return false;
    const Record& r = records[record];
    if (!r.error.empty()) fail("{}", r.error);
    const std::string_view rest = std::string_view(r.text).substr(at);
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view text = rest.substr(0, end);
    line = {{}, r.number};
    if (text.size() > longest_line) {
      text = text.substr(0, part_of(text, longest_line));
      line.part = true;
      at += text.size();
    } else {
      at += std::min(end + 1, rest.size());
      if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
      if (end == rest.size()) {
        line.ends_record = true;
        ++record;
        at = 0;
      }
    }
    line.text = text;
    return true;
  }
};

TextFileReader::TextFileReader(const fs::path& path, const TextFormat& format, int64_t skip) {
  const bool json = path == "-" ? format.text_column.has_value() : is_json_lines(path);
  lines_.reset(
      new Lines{ByteStream(path), format.replace_invalid, json ? longest_record : longest_line});
  if (json) records_.reset(new Records{*lines_, format.text_column.value_or("text")});
  for (TextLine line; lines_->number < skip || lines_->inside;)
    if (!lines_->next(line)) break;
}

TextFileReader::~TextFileReader() = default;

bool TextFileReader::next(TextLine& line) {
  return records_ ? records_->next(line) : lines_->next(line);
}
bool TextFileReader::json_lines() const { return records_ != nullptr; }
int64_t TextFileReader::taken() const { return lines_->stream.taken(); }
uint64_t TextFileReader::hash() const { return lines_->stream.hash(); }

}  // namespace gradus
