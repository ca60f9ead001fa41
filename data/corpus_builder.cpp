#include "gradus/data/corpus_builder.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/base/random.h"
#include "gradus/data/near_duplicates.h"
#include "gradus/data/partial_corpus.h"
#include "gradus/data/seen_lines.h"
#include "gradus/data/sentences.h"
#include "gradus/text/reading_plan.h"

namespace gradus {
namespace fs = std::filesystem;

namespace {

constexpr size_t window_bytes = size_t{16} << 20;  // of text tokenised at once

// Collects text until a window is full, then cuts and tokenises its paragraphs on all threads and
// writes them in order.
class Assembly {
 public:
  Assembly(CorpusWriter& writer, const Tokenizer& tokenizer, Sentences rule)
      : writer_(writer), tokenizer_(tokenizer), rule_(rule) {}

  void add(std::string paragraph) {
    bytes_ += paragraph.size();
    push({std::move(paragraph), no_end, {}, {}});
    between_documents_ = false;
  }
  void end_document(uint32_t file) {
    if (!between_documents_) push({{}, file, {}, {}});
    between_documents_ = true;
  }
  bool between_documents() const { return between_documents_; }

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
    if (item.text.empty()) return;
    if (rule_ == Sentences::line) return add(item.text);
    for (const auto sentence : split_sentences(item.text)) add(sentence);
  }

  CorpusWriter& writer_;
  const Tokenizer& tokenizer_;
  Sentences rule_;
  std::vector<Item> items_;
  size_t bytes_ = 0;
  bool between_documents_ = true;
};

// The files of the corpus, in the order in which they are read: those to train on, then those held
// out.
std::vector<CorpusInput> inputs(const CorpusOptions& options) {
  check(!options.corpus.empty(),
        "no corpus is named: options.corpus wants text files, folders of them, or - for standard "
        "input");
  check(options.weights.empty() || options.weights.size() == options.corpus.size(),
        "options.weights: there are {}, and options.corpus names {}: one for each",
        options.weights.size(), options.corpus.size());
  for (const double weight : options.weights)
    check(weight > 0 && weight <= most_weight,
          "options.weights {}: it is how often an epoch sees a document, above 0 to {}", weight,
          most_weight);
  const auto identity = [](const fs::path& path) {
    return fs::is_regular_file(path) ? fs::canonical(path) : path;
  };
  std::set<fs::path> held_out;
  const auto validation = text_files(options.validation, "options.validation");
  for (const auto& file : validation) held_out.insert(identity(file));
  text_files(options.corpus, "options.corpus");  // none is named twice
  std::vector<CorpusInput> files;
  for (size_t i = 0; i < options.corpus.size(); ++i)
    for (const auto& file : text_files({options.corpus[i]}, "options.corpus"))
      if (!held_out.contains(identity(file)))
        files.push_back({file, options.weights.empty() ? 1 : options.weights[i], false});
  for (const auto& file : validation) files.push_back({file, 1, true});
  return files;
}

// Marks the documents of the files that are held out, or a share of all chosen by seed.
void mark_validation(std::span<CorpusDocument> documents, const std::vector<bool>& dropped,
                     const std::vector<CorpusInput>& files, const CorpusOptions& options) {
  const auto is_kept = [&](size_t d) { return dropped.empty() || !dropped[d]; };
  size_t kept = 0, held_out = 0;
  for (size_t d = 0; d < documents.size(); ++d) {
    kept += is_kept(d);
    if (files[documents[d].file].held_out) documents[d].split = Split::validation;
    held_out += is_kept(d) && documents[d].split == Split::validation;
  }
  if (options.validation_fraction > 0) {
    std::vector<size_t> order;
    for (size_t d = 0; d < documents.size(); ++d)
      if (is_kept(d)) order.push_back(d);
    Random(options.seed, hash_bytes("held-out documents")).shuffle(order);
    const double share = options.validation_fraction * static_cast<double>(order.size());
    order.resize(std::min(order.size(), static_cast<size_t>(std::max(1.0, std::round(share)))));
    for (const size_t d : order) documents[d].split = Split::validation;
    held_out = order.size();
  }
  check(held_out < kept,
        "all {} documents are held out, none is left to train on: name more text, a smaller "
        "options.validation_fraction, or options.documents blank",
        kept);
  check(options.validation.empty() || held_out > 0, "options.validation {}: there is no text in it",
        options.validation.empty() ? "" : options.validation[0].string());
}

class Build {
 public:
  Build(const fs::path& out, const Tokenizer& tokenizer, const CorpusOptions& options)
      : options_(options),
        files_(inputs(options)),
        partial_(out, tokenizer, files_, options),
        assembly_(partial_.writer(), tokenizer, options.sentences),
        rules_{options.documents, options.document_start, options.sentences},
        format_{options.text_column, options.replace_invalid} {
    std::vector<fs::path> paths;
    for (const CorpusInput& file : files_) paths.push_back(file.path);
    total_ = total_bytes(paths);
  }

  void run() {
    if (options_.drop_duplicate_lines > 0) survey();
    stage_ = "reading";
    done_ = told_ = synced_ = partial_.at().bytes_of_files_before();
    for (size_t f = partial_.at().file; f < files_.size(); ++f) read(f);
    assembly_.flush();
    CorpusWriter& writer = partial_.writer();
    const auto count = std::ssize(writer.documents());
    check(count > 0, "the corpus is empty: {} file{} ({}{}) hold no text", files_.size(),
          files_.size() == 1 ? "" : "s", files_.empty() ? "" : files_[0].path.string(),
          files_.size() > 1 ? ", ..." : "");
    std::vector<bool> dropped;
    if (options_.drop_near_duplicates > 0)
      dropped = near_duplicates(
          count, [&](int64_t d) { return writer.tokens(d); }, options_.drop_near_duplicates,
          partial_.scratch("bands"));
    mark_validation(writer.documents(), dropped, files_, options_);
    CorpusInfo info = partial_.info();
    info.dropped_documents = std::count(dropped.begin(), dropped.end(), true);
    info.duplicate_lines = partial_.lines().repeated(nullptr);
    partial_.finish(info, dropped);
  }

  void discard() { partial_.discard(); }

 private:
  // Which lines were there before: what is dropped must be known before a paragraph is made.
  void survey() {
    stage_ = "looking for lines that are there twice";
    for (const CorpusInput& file : files_)
      check(is_readable_again(file.path),
            "options.drop_duplicate_lines: {} can be read only once; write it to a file first",
            file.path == "-" ? "standard input" : file.path.string());
    SeenLines lines(partial_.scratch("survey"));
    for (const CorpusInput& file : files_) {
      TextFileReader reader(file.path, format_);
      for (TextLine line; reader.next(line); tell(reader))
        if (!DocumentCutter::is_blank(line)) lines.add(line.text);
      done_ += reader.taken();
    }
    lines.repeated(&seen_before_);
  }

  void read(size_t f) {
    PartialCorpus::Place& at = partial_.at();
    const auto file = static_cast<uint32_t>(f);
    TextFileReader reader(files_[f].path, format_, at.line);
    DocumentCutter cutter(rules_, reader.json_lines());
    const auto take = [&](std::string paragraph) { assembly_.add(std::move(paragraph)); };
    const auto end_document = [&] { assembly_.end_document(file); };
    at.json_lines[reader.json_lines()] = true;
    // a line, or the first of an object: a build may go on here
    bool begins = true;
    for (TextLine line; reader.next(line); tell(reader)) {
      if (cutter.begins_document(line)) cutter.end(take, end_document);
      if (begins && cutter.is_empty() && assembly_.between_documents() &&
          done_ + reader.taken() - synced_ >= options_.checkpoint_bytes) {
        assembly_.flush();
        at.file = f, at.line = line.number - 1;
        partial_.sync();
        synced_ = done_ + reader.taken();
      }
      begins = reader.json_lines() ? line.ends_record : !line.part;
      bool keep = true;
      if (!DocumentCutter::is_blank(line)) {
        const auto number = static_cast<size_t>(partial_.lines().add(line.text));
        keep = seen_before_.empty() || !seen_before_[number] ||
               std::ssize(line.text) < options_.drop_duplicate_lines;
        at.dropped_lines += !keep;
      }
      cutter.add(line, keep, take, end_document);
    }
    cutter.end(take, end_document);
    at.sources.push_back(
        {files_[f].path.string(), reader.taken(), reader.hash(), files_[f].weight});
    at.line = 0;
    done_ += reader.taken();
  }

  // How far the reading is, told about once a window.
  void tell(const TextFileReader& reader) {
    const int64_t now = done_ + reader.taken();
    const int64_t step = std::min(static_cast<int64_t>(window_bytes), options_.checkpoint_bytes);
    if (!options_.progress || now - told_ < step) return;
    options_.progress(stage_, told_ = now, total_);
  }

  const CorpusOptions& options_;
  std::vector<CorpusInput> files_;
  PartialCorpus partial_;
  Assembly assembly_;
  CuttingRules rules_;
  TextFormat format_;
  std::vector<bool> seen_before_;  // by line, of those that are not blank
  const char* stage_ = "";
  int64_t total_ = 0, done_ = 0;  // bytes of all files, and of those that were read
  int64_t told_ = 0, synced_ = 0;
};

}  // namespace

void build_corpus(const fs::path& out, const Tokenizer& tokenizer, const CorpusOptions& options) {
  tokenizer.vocabulary().require_special();
  check(options.validation.empty() || options.validation_fraction == 0,
        "options.validation and options.validation_fraction exclude each other: give one of them");
  check(options.validation_fraction >= 0 && options.validation_fraction < 1,
        "options.validation_fraction {}: it is a share of the documents, from 0 to below 1",
        options.validation_fraction);
  check(options.drop_near_duplicates >= 0 && options.drop_near_duplicates <= 1,
        "options.drop_near_duplicates {}: it is the similarity from which a document is left out, "
        "from 0 (none is) to 1",
        options.drop_near_duplicates);
  check(options.drop_duplicate_lines >= 0,
        "options.drop_duplicate_lines {}: it is the least length of a line, from 1; 0: none is "
        "left out",
        options.drop_duplicate_lines);
  check(options.overwrite || !fs::exists(out),
        "{}: the file is there already; name another one, or replace it, with options.overwrite",
        out.string());
  Build build(out, tokenizer, options);
  try {
    build.run();
  } catch (const Error& error) {
    if (error.exit_code == 2) build.discard();  // the text itself must change
    throw;
  }
}

}  // namespace gradus
