#include "gradus/data/corpus_builder.h"

#include <omp.h>

#include <cmath>
#include <map>

#include "gradus/data/corpus_statistics.h"
#include "gradus/data/instances.h"
#include "tests/data/corpora.h"

namespace gradus {
namespace {

using testing::error_of;
using testing::Scratch;

Tokenizer letters() {
  std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?"};
  for (char c = 'a'; c <= 'y'; ++c) tokens.push_back({c});  // not z
  return Tokenizer(Vocabulary(tokens, "letters.txt"));
}

// The documents, each sentence as its tokens.
std::vector<std::string> told(const std::filesystem::path& path) {
  const CorpusFile corpus = CorpusFile::open(path);
  std::vector<std::string> documents;
  for (int64_t d = 0; d < corpus.document_count(); ++d) {
    auto& text =
        documents.emplace_back(corpus.document(d).split == Split::validation ? "held out:" : "");
    for (int64_t s = corpus.first_sentence(d); s < corpus.first_sentence(d + 1); ++s) {
      text += text.empty() || text.back() == ':' ? "" : "|";
      const TokenSpan ids = corpus.sentence(s);
      for (int64_t i = 0; i < ids.size(); ++i) text += corpus.vocabulary().token(ids[i]);
    }
  }
  return documents;
}
using Told = std::vector<std::string>;

TEST_CASE("documents and sentences are cut as asked") {
  const Scratch scratch;
  write_file(scratch / "in.txt",
             "\xEF\xBB\xBF"
             "a b. C d\r\ne f\r\n \r\n\r\ng?\nz");
  const auto build = [&](Documents documents, Sentences sentences) {
    build_corpus(scratch / "c.gds", letters(),
                 {.corpus = {scratch / "in.txt"},
                  .documents = documents,
                  .sentences = sentences,
                  .overwrite = true});
    return told(scratch / "c.gds");
  };
  CHECK(build(Documents::blank, Sentences::split) == Told{"ab.|cd|ef", "g?|[UNK]"});
  CHECK(build(Documents::blank, Sentences::line) == Told{"ab.cd|ef", "g?|[UNK]"});
  // lines are joined up to the blank one
  CHECK(build(Documents::file, Sentences::split) == Told{"ab.|cdef|g?[UNK]"});
  CHECK(build(Documents::file, Sentences::line) == Told{"ab.cd|ef|g?|[UNK]"});
  CHECK(build(Documents::record, Sentences::split) == Told{"ab.|cd", "ef", "g?", "[UNK]"});
}

TEST_CASE("a document may begin where a line matches") {
  const Scratch scratch;
  write_file(scratch / "in.txt", "a\nb b\nc c\n\nd.\nb b\ne\n");
  const auto build = [&](const std::string& pattern) {
    build_corpus(scratch / "c.gds", letters(),
                 {.corpus = {scratch / "in.txt"},
                  .documents = Documents::pattern,
                  .document_start = pattern,
                  .overwrite = true});
    return told(scratch / "c.gds");
  };
  CHECK(build("^b +b$") == Told{"a", "bbcc|d.", "bbe"});
  CHECK(build("^(a|e)$") == Told{"abbcc|d.bb", "e"});
  CHECK_MENTIONS(error_of([&] { build("(b"); }), "options.document_start (b: it is an extended");
  CHECK_MENTIONS(error_of([&] { build(""); }), "options.document_start");
}

TEST_CASE("JSON lines: a document an object, its lines are paragraphs") {
  const Scratch scratch;
  const auto in = scratch / "in.jsonl";
  write_file(in, R"({"id": 1, "text": "a b. C\nd\n\ne"}
{"text": "", "id": 2}

{"text": "f\ng"}
)");
  const auto build = [&](CorpusOptions options) {
    options.corpus = {in};
    options.overwrite = true;
    build_corpus(scratch / "c.gds", letters(), options);
    return told(scratch / "c.gds");
  };
  CHECK(build({}) == Told{"ab.|c|d|e", "f|g"});
  CHECK(CorpusFile::open(scratch / "c.gds").info().documents == "record");
  CHECK(build({.documents = Documents::blank}) == Told{"ab.|c|d", "e", "f|g"});
  CHECK(build({.documents = Documents::file}) == Told{"ab.|cd|e|fg"});
  CHECK_MENTIONS(error_of([&] { build({.text_column = "body"}); }),
                 "in.jsonl:1: the object has no 'body'");
}

TEST_CASE("weights say how often an epoch sees a document") {
  const Scratch scratch;
  const auto write = [&](const char* name, const char* word) {
    std::string text;
    for (int i = 0; i < 300; ++i) text += std::string(word) + "\n\n";
    write_file(scratch / name, text);
  };
  write("a.txt", "a");
  write("b.txt", "b");
  write("c.txt", "c");
  const auto build = [&](std::vector<double> weights) {
    build_corpus(scratch / "c.gds", letters(),
                 {.corpus = {scratch / "a.txt", scratch / "b.txt", scratch / "c.txt"},
                  .weights = std::move(weights),
                  .overwrite = true});
  };
  build({2, 0.5, 1});
  const CorpusFile corpus = CorpusFile::open(scratch / "c.gds");
  const InstanceSource source(corpus, Split::train, {.next_sentence = false}, 1);
  const auto seen = [&](int64_t epoch) {
    std::map<char, int> counts;
    for (int64_t i = 0; i < source.size(epoch); ++i) {
      const Instance instance = source.get(epoch, i);
      ++counts[corpus.vocabulary().token(instance.labels[0])[0]];
    }
    return counts;
  };
  const auto first = seen(0), second = seen(1);
  CHECK(first.at('a') == 600);
  CHECK(first.at('c') == 300);
  CHECK(first.at('b') > 110);
  CHECK(first.at('b') < 190);
  CHECK(second.at('a') == 600);
  CHECK(source.size(0) != source.size(1));  // b's are drawn anew

  CHECK_MENTIONS(error_of([&] { build({1, 2}); }), "there are 2, and options.corpus names 3");
  CHECK_MENTIONS(error_of([&] { build({1, 2, -1}); }), "options.weights -1");
}

TEST_CASE("a line may have any length") {
  const Scratch scratch;
  std::string line;
  while (line.size() < 2'500'000) line += "a b c d. ";
  write_file(scratch / "in.txt", line + std::string(3'000'000, 'x') + "\n\ne.\n");
  build_corpus(scratch / "c.gds", letters(), {.corpus = {scratch / "in.txt"}});
  const CorpusFile corpus = CorpusFile::open(scratch / "c.gds");
  CHECK(corpus.document_count() == 2);
  // five tokens nine bytes apart, the word as its parts that are unknown, and "e."
  const auto repeats = static_cast<int64_t>(line.size()) / 9;
  CHECK(corpus.token_count() == 5 * repeats + 3 + 2);
}

TEST_CASE("held-out files and shares, folders, statistics") {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "books");
  write_file(scratch / "books" / "b.txt", "b b\n\nb b\n");
  write_file(scratch / "books" / "a.txt", "a z\n");
  write_file(scratch / "books" / "notes.md", "q");
  build_corpus(scratch / "c.gds", letters(),
               {.corpus = {scratch / "books"}, .validation = {scratch / "books" / "a.txt"}});
  CHECK(told(scratch / "c.gds") == Told{"bb", "bb", "held out:a[UNK]"});

  const CorpusFile corpus = CorpusFile::open(scratch / "c.gds");
  const CorpusStatistics s = statistics(corpus);
  CHECK(s.train.documents == 2);
  CHECK(s.train.tokens == 4);
  CHECK(s.validation.unknown == 1);
  // both held-out tokens were never seen: (0 + 1) / (4 + 32 tokens)
  CHECK(s.unigram_cross_entropy == doctest::Approx(std::log(4.0 + 32)));
  CHECK(corpus.info().lines == 3);
  CHECK(corpus.info().duplicate_lines == 1);
  CHECK(corpus.info().files.size() == 2);

  std::string text;
  for (int i = 0; i < 100; ++i) text += "a b\n\n";
  write_file(scratch / "many.txt", text);
  const auto held_out = [&](double share, uint64_t seed) {
    build_corpus(scratch / "m.gds", letters(),
                 {.corpus = {scratch / "many.txt"},
                  .validation_fraction = share,
                  .seed = seed,
                  .overwrite = true});
    const CorpusFile many = CorpusFile::open(scratch / "m.gds");
    return std::vector<int64_t>(many.documents(Split::validation).begin(),
                                many.documents(Split::validation).end());
  };
  CHECK(held_out(0.1, 1).size() == 10);
  CHECK(held_out(0.001, 1).size() == 1);
  CHECK(held_out(0.1, 1) == held_out(0.1, 1));
  CHECK(held_out(0.1, 1) != held_out(0.1, 2));
}

TEST_CASE("the same bytes on any number of threads") {
  const Scratch scratch;
  Random random(3);
  std::string text;
  for (int i = 0; i < 200000; ++i) {
    for (int64_t n = random.between(0, 30); n > 0; --n)
      text += static_cast<char>('a' + random.below(26)), text += random.below(9) ? " " : ". ";
    text += '\n';
  }
  write_file(scratch / "in.txt", text);  // several blocks of a file's checksum
  const int threads = omp_get_max_threads();
  const auto bytes = [&](int n) {
    omp_set_num_threads(n);
    build_corpus(scratch / "c.gds", letters(),
                 {.corpus = {scratch / "in.txt"}, .validation_fraction = 0.1, .overwrite = true});
    omp_set_num_threads(threads);
    return read_file(scratch / "c.gds");
  };
  const auto once = bytes(1);
  CHECK(once.size() > 2000000);
  CHECK(once == bytes(2));
  CHECK(once == bytes(5));
}

TEST_CASE("what cannot be built says why and leaves nothing behind") {
  const Scratch scratch;
  const auto in = scratch / "in.txt", out = scratch / "c.gds";
  write_file(in, "a b\n");
  const auto error = [&](CorpusOptions options, const Tokenizer& tokenizer = letters()) {
    auto text = error_of([&] { build_corpus(out, tokenizer, options); });
    CHECK_FALSE(std::filesystem::exists(out));
    return text;
  };
  CHECK_MENTIONS(error({}), "options.corpus");
  CHECK_MENTIONS(error({.corpus = {scratch / "none.txt"}}), "none.txt: there is no such file");
  CHECK_MENTIONS(error({.corpus = {in, in}}), "named twice");
  std::filesystem::create_directory(scratch / "empty");
  CHECK_MENTIONS(error({.corpus = {scratch / "empty"}}), "no *.txt");
  write_file(scratch / "blank.txt", "\n \n");
  CHECK_MENTIONS(error({.corpus = {scratch / "blank.txt"}}), "the corpus is empty");
  CHECK_MENTIONS(error({.corpus = {in}, .validation = {scratch / "blank.txt"}}), "no text in it");
  CHECK_MENTIONS(error({.corpus = {in}, .validation = {in}}), "none is left to train on");
  CHECK_MENTIONS(error({.corpus = {in}, .validation_fraction = 0.5}), "none is left to train on");
  CHECK_MENTIONS(error({.corpus = {in}, .validation_fraction = 1.5}), "1.5");
  CHECK_MENTIONS(error({.corpus = {in}, .validation = {in}, .validation_fraction = 0.5}),
                 "exclude each other");
  write_file(scratch / "bad.txt", "a\nb\xFF\n");
  CHECK_MENTIONS(error({.corpus = {scratch / "bad.txt"}}), "bad.txt:2");
  CHECK_MENTIONS(error({.corpus = {in}},
                       Tokenizer(Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a"}, "v.txt"))),
                 "[MASK]");
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path()))
    for (const char* ending : {".gds", ".partial"})
      CHECK_MESSAGE(entry.path().extension() != ending, "left behind: ", entry.path().string());

  build_corpus(out, letters(), {.corpus = {scratch / "bad.txt"}, .replace_invalid = true});
  CHECK_MENTIONS(error_of([&] { build_corpus(out, letters(), {.corpus = {in}}); }),
                 "options.overwrite");
  CHECK_MENTIONS(
      error_of([&] { build_corpus(scratch / "no" / "c.gds", letters(), {.corpus = {in}}); }),
      "cannot write");
}

}  // namespace
}  // namespace gradus
