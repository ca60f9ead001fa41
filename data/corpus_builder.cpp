#include "gradus/data/corpus_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/base/random.h"
#include "gradus/data/sentences.h"

namespace gradus {
namespace fs = std::filesystem;

std::vector<fs::path> text_files(const std::vector<fs::path>& paths, const char* option) {
  std::vector<fs::path> files;
  for (const auto& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      check(fs::exists(path, error), "{} {}: there is no such file", option, path.string());
      files.push_back(path);
      continue;
    }
    std::vector<fs::path> inside;
    for (const auto& entry : fs::directory_iterator(path))
      if (entry.is_regular_file() && entry.path().extension() == ".txt")
        inside.push_back(entry.path());
    check(!inside.empty(), "{} {}: the folder has no *.txt files", option, path.string());
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  std::set<fs::path> seen;
  for (const auto& file : files)
    check(seen.insert(fs::canonical(file)).second, "{} {}: the file is named twice", option,
          file.string());
  return files;
}

namespace {

constexpr size_t window_bytes = size_t{16} << 20;  // of text tokenised at once
// where a paragraph without end is cut: at a line's end, a line at white space
constexpr size_t paragraph_bytes = size_t{1} << 20;

// Collects text until a window is full, then cuts and tokenises its paragraphs on all threads and
// writes them in order.
class Assembly {
 public:
  Assembly(CorpusWriter& writer, const Tokenizer& tokenizer, Sentences rule)
      : writer_(writer), tokenizer_(tokenizer), rule_(rule) {}

  void add(std::string paragraph) {
    bytes_ += paragraph.size();
    push({std::move(paragraph), no_end, {}, {}});
  }
  void end_document(uint32_t file) {
    if (items_.empty() || items_.back().ends_document_of == no_end) push({{}, file, {}, {}});
  }

  void flush() {
    parallel_for(static_cast<int64_t>(items_.size()), 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) encode(items_[static_cast<size_t>(i)]);
    });
    for (const auto& item : items_) {
      size_t begin = 0;
      for (const size_t end : item.sentence_ends) {
        writer_.add_sentence(std::span(item.ids).subspan(begin, end - begin));
        begin = end;
      }
      if (item.ends_document_of != no_end) writer_.end_document(item.ends_document_of);
    }
    items_.clear();
    bytes_ = 0;
  }

 private:
  static constexpr uint32_t no_end = ~0u;
  struct Item {  // a paragraph, or the end of a document
    std::string text;
    uint32_t ends_document_of;
    std::vector<int32_t> ids;
    std::vector<size_t> sentence_ends;
  };

  void push(Item item) {
    items_.push_back(std::move(item));
    if (bytes_ + items_.size() * sizeof(Item) >= window_bytes) flush();
  }

  void encode(Item& item) const {
    const auto add = [&](std::string_view sentence) {
      tokenizer_.append_ids(sentence, item.ids);
      item.sentence_ends.push_back(item.ids.size());
    };
    if (rule_ == Sentences::line) return add(item.text);
    for (const auto sentence : split_sentences(item.text)) add(sentence);
  }

  CorpusWriter& writer_;
  const Tokenizer& tokenizer_;
  Sentences rule_;
  std::vector<Item> items_;
  size_t bytes_ = 0;
};

// Counts lines, and those that were there before by their hashes (8 bytes a line).
struct LineCounter {
  std::vector<uint64_t> hashes;
  void add(std::string_view line) { hashes.push_back(hash_bytes(line)); }
  int64_t duplicates() {
    std::sort(hashes.begin(), hashes.end());
    return hashes.end() - std::unique(hashes.begin(), hashes.end());
  }
};

// How far the reading is, told once a window.
struct Progress {
  const std::function<void(int64_t, int64_t)>& tell;
  int64_t total = 0, done = 0, told = 0;
  void add(int64_t bytes) {
    done += bytes;
    if (!tell || (done - told < static_cast<int64_t>(window_bytes) && done < total)) return;
    tell(told = done, total);
  }
};

void read_text(const fs::path& path, uint32_t file, const CorpusOptions& options,
               Assembly& assembly, LineCounter& lines, Progress& progress) {
  const bool whole_file = options.documents == Documents::file,
             join_lines = whole_file && options.sentences == Sentences::split;
  std::string paragraph;
  const auto end_paragraph = [&] {
    if (!paragraph.empty()) assembly.add(std::exchange(paragraph, {}));
  };
  const auto add_line = [&](std::string_view line, int64_t) {
    progress.add(static_cast<int64_t>(line.size()) + 1);
    if (line.find_first_not_of(" \t\r\f\v") == std::string_view::npos) {
      end_paragraph();
      if (!whole_file) assembly.end_document(file);
      return;
    }
    lines.add(line);
    while (!line.empty()) {
      const size_t part = part_of(line, paragraph_bytes);
      if (!paragraph.empty()) paragraph += ' ';
      paragraph += line.substr(0, part);
      line.remove_prefix(part);
      if (!join_lines || paragraph.size() >= paragraph_bytes) end_paragraph();
    }
  };
  for_each_line(path, add_line, options.replace_invalid);
  end_paragraph();
  assembly.end_document(file);
}

// Marks the documents of the files from first_validation on, or a share of all chosen by seed.
void mark_validation(std::vector<CorpusDocument>& documents, size_t first_validation,
                     const CorpusOptions& options) {
  for (auto& document : documents)
    if (document.file >= first_validation) document.split = Split::validation;
  if (options.validation_fraction > 0) {
    std::vector<size_t> order(documents.size());
    for (size_t d = 0; d < order.size(); ++d) order[d] = d;
    Random(options.seed, hash_bytes("held-out documents")).shuffle(order);
    const double share = options.validation_fraction * static_cast<double>(order.size());
    order.resize(std::min(order.size(), static_cast<size_t>(std::max(1.0, std::round(share)))));
    for (const size_t d : order) documents[d].split = Split::validation;
  }
  const auto held_out = std::count_if(documents.begin(), documents.end(),
                                      [](const auto& d) { return d.split == Split::validation; });
  check(static_cast<size_t>(held_out) < documents.size(),
        "all {} documents are held out, none is left to train on: name more text, a smaller "
        "options.validation_fraction, or options.documents blank",
        documents.size());
  check(options.validation.empty() || held_out > 0, "options.validation {}: there is no text in it",
        options.validation.empty() ? "" : options.validation[0].string());
}

}  // namespace

void build_corpus(const fs::path& out, const Tokenizer& tokenizer, const CorpusOptions& options) {
  tokenizer.vocabulary().require_special();
  check(!options.corpus.empty(),
        "no corpus is named: options.corpus wants text files or folders of *.txt");
  check(options.validation.empty() || options.validation_fraction == 0,
        "options.validation and options.validation_fraction exclude each other: give one of them");
  check(options.validation_fraction >= 0 && options.validation_fraction < 1,
        "options.validation_fraction {}: it is a share of the documents, from 0 to below 1",
        options.validation_fraction);
  check(options.overwrite || !fs::exists(out),
        "{}: the file is there already; name another one, or replace it, with options.overwrite",
        out.string());

  const auto held_out = text_files(options.validation, "options.validation");
  auto files = text_files(options.corpus, "options.corpus");
  std::erase_if(files, [&](const fs::path& file) {
    return std::any_of(held_out.begin(), held_out.end(),
                       [&](const fs::path& other) { return fs::equivalent(file, other); });
  });
  const size_t first_validation = files.size();
  files.insert(files.end(), held_out.begin(), held_out.end());

  CorpusInfo info;
  info.documents = options.documents == Documents::blank ? "blank" : "file";
  info.sentences = options.sentences == Sentences::split ? "split" : "line";
  info.seed = options.seed;
  Progress progress{options.progress};
  for (const auto& file : files) {
    const MappedFile text(file);
    info.files.push_back(
        {file.string(), static_cast<int64_t>(text.size()), hash_bytes(text.view())});
    progress.total += info.files.back().bytes;
  }

  CorpusWriter writer(out, tokenizer);
  Assembly assembly(writer, tokenizer, options.sentences);
  LineCounter lines;
  for (size_t f = 0; f < files.size(); ++f)
    read_text(files[f], static_cast<uint32_t>(f), options, assembly, lines, progress);
  assembly.flush();
  check(!writer.documents().empty(), "the corpus is empty: {} file{} ({}{}) hold no text",
        files.size(), files.size() == 1 ? "" : "s", files.empty() ? "" : files[0].string(),
        files.size() > 1 ? ", ..." : "");
  mark_validation(writer.documents(), first_validation, options);
  info.lines = static_cast<int64_t>(lines.hashes.size());
  info.duplicate_lines = lines.duplicates();
  writer.finish(info);
}

CorpusStatistics statistics(const CorpusFile& corpus) {
  const auto vocabulary_size = static_cast<size_t>(corpus.vocabulary().size());
  const auto count = [&](Split split, std::vector<int64_t>& counts) {
    SplitStatistics sum;
    for (const int64_t d : corpus.documents(split)) {
      const int64_t first = corpus.first_sentence(d), last = corpus.first_sentence(d + 1);
      const TokenSpan ids = corpus.tokens(corpus.first_token(first), corpus.first_token(last));
      ++sum.documents;
      sum.sentences += last - first;
      sum.tokens += ids.size();
      for (int64_t i = 0; i < ids.size(); ++i) ++counts[static_cast<size_t>(ids[i])];
    }
    sum.unknown = counts[static_cast<size_t>(corpus.vocabulary().unk())];
    return sum;
  };
  std::vector<int64_t> train(vocabulary_size), held_out(vocabulary_size);
  CorpusStatistics result{count(Split::train, train), count(Split::validation, held_out),
                          std::numeric_limits<double>::quiet_NaN(), 0};
  for (const int64_t n : train)
    if (n) {
      const double share = static_cast<double>(n) / static_cast<double>(result.train.tokens);
      result.unigram_entropy -= share * std::log(share);
    }
  if (!result.validation.tokens) return result;
  const double denominator =
      static_cast<double>(result.train.tokens) + static_cast<double>(vocabulary_size);
  double sum = 0;
  for (size_t id = 0; id < vocabulary_size; ++id)
    if (held_out[id])
      sum -= static_cast<double>(held_out[id]) *
             std::log(static_cast<double>(train[id] + 1) / denominator);
  result.unigram_cross_entropy = sum / static_cast<double>(result.validation.tokens);
  return result;
}

}  // namespace gradus
