#include "gradus/text/word_counter.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "gradus/base/error.h"
#include "gradus/base/file.h"
#include "gradus/base/parallel.h"
#include "gradus/text/normalizer.h"
#include "gradus/text/reading_plan.h"
#include "gradus/text/text_files.h"

namespace gradus {
namespace fs = std::filesystem;

namespace {

struct Hash : std::hash<std::string_view> {  // finds a std::string by a view of its bytes
  using is_transparent = void;
};
using Counts = std::unordered_map<std::string, int64_t, Hash, std::equal_to<>>;

constexpr int64_t largest_block = int64_t{1} << 20;
// Longer ones are no words of a language, and no tokenizer takes them apart: they count nowhere.
constexpr size_t longest_word_bytes = 4096;
constexpr int64_t blocks_at_once = 16;  // counted before they are put together

Counts count_block(std::string_view block, const WordCountOptions& options) {
  Counts counts;
  WordScanner scanner(Rules::of(TokenizerMode::hf, options.lower_case), block);
  while (scanner.next()) {
    if (scanner.word().size() > longest_word_bytes) continue;
    if (const auto found = counts.find(scanner.word()); found != counts.end()) ++found->second;
    else counts.emplace(scanner.word(), 1);
  }
  return counts;
}

// Counts the words of blocks of text, many at once on all threads, in the order of the blocks.
class WordCounter {
 public:
  explicit WordCounter(const WordCountOptions& options)
      : options_(options),
        block_bytes_(static_cast<size_t>(
            std::clamp<int64_t>(options.checkpoint_bytes / blocks_at_once, 1, largest_block))) {}

  void add(std::string_view line) {
    if (blocks_.empty() || blocks_.back().size() >= block_bytes_)
      blocks_.emplace_back().reserve(block_bytes_ + block_bytes_ / 4);
    blocks_.back().append(line) += '\n';
  }
  // Whether it is time to count().
  bool is_full() const {
    return std::ssize(blocks_) == blocks_at_once && blocks_.back().size() >= block_bytes_;
  }
  void count() {
    std::vector<Counts> counts(blocks_.size());
    parallel_for(std::ssize(blocks_), 1, [&](int64_t i, int64_t) {
      counts[static_cast<size_t>(i)] = count_block(blocks_[static_cast<size_t>(i)], options_);
    });
    for (const Counts& part : counts)
      for (const auto& [word, n] : part) total_[word] += n;
    blocks_.clear();
    forget();
  }
  WordCounts sorted() const {
    WordCounts words(total_.begin(), total_.end());
    std::sort(words.begin(), words.end());
    return words;
  }

  const Counts& total() const { return total_; }
  int64_t forgotten() const { return forgotten_; }
  void restore(Counts total, int64_t forgotten) {
    total_ = std::move(total);
    forgotten_ = forgotten;
  }

 private:
  // Beyond that many, the rarest go: memory does not grow with the corpus, and what is seen once in
  // gigabytes makes no token.
  void forget() {
    for (int64_t rarest = 1; std::ssize(total_) > options_.most_words; ++rarest)
      forgotten_ += static_cast<int64_t>(
          std::erase_if(total_, [&](const auto& entry) { return entry.second <= rarest; }));
  }

  const WordCountOptions& options_;
  size_t block_bytes_;
  std::vector<std::string> blocks_;
  Counts total_;
  int64_t forgotten_ = 0;
};

// The counts on their way, in options.partial: a line of JSON (the plan; which file is next, how
// many of its lines and how many bytes of those before are done; what must follow), then a line for
// each word, "COUNT WORD". Forgetting depends on what was counted together, so a place to go on
// from is one where the counter holds no text.
class PartialCounts {
 public:
  PartialCounts(const std::vector<fs::path>& files, const WordCountOptions& options)
      : options_(options) {
    bool again = true;
    plan_["lower_case"] = options.lower_case;
    plan_["replace_invalid"] = options.replace_invalid;
    plan_["text_column"] = options.text_column.value_or("");
    plan_["most_words"] = options.most_words;
    plan_["checkpoint_bytes"] = options.checkpoint_bytes;
    plan_["files"] = nlohmann::ordered_json::array();
    for (const fs::path& file : files) {
      again &= is_readable_again(file);
      if (is_readable_again(file)) plan_["files"].push_back(identity_of(file));
    }
    check(again || !options.resume,
          "options.resume: standard input and pipes cannot be read a second time");
    kept_ = again && !options.partial.empty();
    if (options.partial.empty() || !fs::exists(options.partial)) return;
    check(options.resume || options.overwrite,
          "{}: a count was interrupted here; go on with it, with options.resume, or begin anew, "
          "with options.overwrite",
          options.partial.string());
    if (!options.resume) fs::remove(options.partial);
  }

  struct Place {
    size_t file = 0;
    int64_t line = 0, bytes_before = 0;
  };

  Place restore(WordCounter& counter) const {
    Place place;
    if (!kept_ || !options_.resume || !fs::exists(options_.partial)) return place;
    const std::string text = read_file(options_.partial);
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view body = std::string_view(text).substr(std::min(end + 1, text.size()));
    try {
      const auto head = parse_ordered_json(text.substr(0, end));
      check_same_plan(head.at("plan"), plan_, options_.partial);
      place = {head.at("file"), head.at("line"), head.at("bytes_before")};
      check(head.at("hash") == hash_bytes(body) && place.file < plan_["files"].size(),
            "{}: it is damaged; begin anew, with options.overwrite", options_.partial.string());
      counter.restore(counts_of(body), head.at("forgotten"));
    } catch (const nlohmann::json::exception& error) {
      fail("{}: it is damaged ({}); begin anew, with options.overwrite", options_.partial.string(),
           error.what());
    }
    return place;
  }

  void save(const WordCounter& counter, const Place& place) const {
    if (!kept_) return;
    std::string body;
    for (const auto& [word, count] : counter.total()) body += fmt::format("{} {}\n", count, word);
    const nlohmann::ordered_json head{{"plan", plan_},
                                      {"file", place.file},
                                      {"line", place.line},
                                      {"bytes_before", place.bytes_before},
                                      {"hash", hash_bytes(body)},
                                      {"forgotten", counter.forgotten()}};
    write_file(options_.partial, head.dump() + "\n" + body);
  }

  void remove() const {
    std::error_code ignored;
    if (kept_) fs::remove(options_.partial, ignored);
  }

 private:
  // Of lines that were hashed: as they were written.
  static Counts counts_of(std::string_view lines) {
    Counts counts;
    for (size_t at = 0; at < lines.size();) {
      const size_t space = lines.find(' ', at), end = lines.find('\n', at);
      int64_t count = 0;
      std::from_chars(lines.data() + at, lines.data() + space, count);
      counts.emplace(lines.substr(space + 1, end - space - 1), count);
      at = end + 1;
    }
    return counts;
  }

  const WordCountOptions& options_;
  nlohmann::ordered_json plan_;
  bool kept_ = false;
};

void count_files(const std::vector<fs::path>& files, const WordCountOptions& options,
                 const PartialCounts& partial, PartialCounts::Place place, WordCounter& counter) {
  const double all = static_cast<double>(total_bytes(files)) / 1e6;
  const int64_t step = std::min<int64_t>(4'000'000, options.checkpoint_bytes);
  int64_t told = 0, saved = -1;
  for (; place.file < files.size(); ++place.file, place.line = 0) {
    TextFileReader reader(files[place.file], {options.text_column, options.replace_invalid},
                          place.line);
    bool begins = true;  // a line, or the first of an object
    for (TextLine line; reader.next(line);) {
      const int64_t now = place.bytes_before + reader.taken();
      if (saved < 0) saved = now;
      if (counter.is_full()) {
        counter.count();
        if (begins && now - saved >= options.checkpoint_bytes) {
          place.line = line.number - 1;
          partial.save(counter, place);
          saved = now;
        }
      }
      counter.add(line.text);
      begins = reader.json_lines() ? line.ends_record : !line.part;
      if (options.progress && now - told >= step)
        options.progress("counting words", static_cast<double>(told = now) / 1e6, all);
    }
    place.bytes_before += reader.taken();
  }
  counter.count();
  if (options.progress)
    options.progress("counting words", static_cast<double>(place.bytes_before) / 1e6, all);
}

}  // namespace

WordCounts count_words(const std::vector<fs::path>& files, const WordCountOptions& options,
                       WordCountStatistics* statistics) {
  check(!files.empty(), "there is no corpus file");
  const PartialCounts partial(files, options);
  WordCounter counter(options);
  const PartialCounts::Place begin = partial.restore(counter);
  try {
    count_files(files, options, partial, begin, counter);
  } catch (const Error& error) {
    if (error.exit_code == 2) partial.remove();  // the text itself must change
    throw;
  }
  WordCounts words = counter.sorted();
  partial.remove();
  check(!words.empty(), "{}{}: there is no word in the corpus", files[0].string(),
        files.size() > 1 ? " and the other files" : "");
  if (statistics) {
    statistics->forgotten_words = counter.forgotten();
    statistics->distinct_words = std::ssize(words);
    for (const auto& [word, count] : words) statistics->words += count;
  }
  return words;
}

}  // namespace gradus
