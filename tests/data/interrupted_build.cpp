// A build that is interrupted and gone on with gives the file that it would have given at once.
#include <algorithm>

#include "gradus/data/corpus_builder.h"
#include "gradus/data/instances.h"
#include "tests/data/corpora.h"
#include "tests/interrupted.h"

namespace gradus {
namespace {

using testing::error_of;
using testing::Scratch;
namespace fs = std::filesystem;

Tokenizer letters() {
  std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "."};
  for (char c = 'a'; c <= 'z'; ++c) tokens.push_back({c});
  return Tokenizer(Vocabulary(tokens, "letters.txt"));
}

struct Corpus {
  Scratch scratch;
  CorpusOptions options;

  Corpus() {
    Random random(2);
    for (const char* name : {"a.txt", "b.jsonl", "c.txt"}) {
      std::string text;
      for (int i = 0; i < 40000; ++i) {
        std::string line;
        for (int64_t n = random.between(0, 30); n > 0; --n)
          line += static_cast<char>('a' + random.below(26)), line += random.below(9) ? " " : ". ";
        text +=
            name[0] == 'b' ? "{\"text\": \"" + line + "\\nz\\n\\n" + line + "\"}\n" : line + "\n";
      }
      write_file(scratch / name, text);
      options.corpus.push_back(scratch / name);
    }
    options.validation_fraction = 0.05;
    options.checkpoint_bytes = 300'000;
    options.overwrite = true;
  }
  fs::path out() const { return scratch / "c.gds"; }
  fs::path partial() const { return scratch / "c.gds.partial"; }

  std::string bytes() const {
    build_corpus(out(), letters(), options);
    CHECK_FALSE(fs::exists(partial()));
    return read_file(out());
  }
  // Ends at the n-th time that it tells how far it is; false: it had come to its end.
  bool interrupted(int n) {
    return testing::is_interrupted(n, [&](const auto& tell) {
      CorpusOptions some = options;
      some.progress = [&](const char* stage, int64_t, int64_t) {
        if (std::string(stage) == "reading") tell();
      };
      build_corpus(out(), letters(), some);
    });
  }
};

TEST_CASE("an interrupted build goes on to the same bytes") {
  Corpus corpus;
  CorpusOptions& options = corpus.options;
  const auto with = [&](std::optional<Documents> documents, const char* start, int64_t lines,
                        int told) {
    options.documents = documents;
    options.document_start = start;
    options.drop_duplicate_lines = lines;
    options.resume = false;
    const std::string at_once = corpus.bytes();
    int times = 0;
    while (corpus.interrupted(told)) {
      CHECK(fs::exists(corpus.partial() / "note.json"));
      options.resume = true;
      REQUIRE(++times < 30);
    }
    CHECK(times > 0);
    const std::string gone_on = read_file(corpus.out());
    const auto differ =
        std::mismatch(gone_on.begin(), gone_on.end(), at_once.begin(), at_once.end());
    CHECK(gone_on.size() == at_once.size());
    CHECK(differ.first - gone_on.begin() == std::ssize(at_once));
    return at_once;
  };
  const std::string records = with({}, "", 0, 2);
  CHECK(with(Documents::file, "", 0, 3) != records);
  CHECK(with(Documents::pattern, "^a", 0, 2) != records);
  CHECK(with({}, "", 8, 2) != records);
}

TEST_CASE("an interrupted build is not thrown away, nor gone on with as another") {
  Corpus corpus;
  CorpusOptions& options = corpus.options;
  REQUIRE(corpus.interrupted(3));
  REQUIRE(fs::exists(corpus.partial() / "note.json"));
  const auto error = [&] {
    return error_of([&] { build_corpus(corpus.out(), letters(), options); });
  };
  options.overwrite = false;
  CHECK_MENTIONS(error(), "go on with it, with options.resume, or begin anew");
  options.resume = true;
  options.sentences = Sentences::line;
  CHECK_MENTIONS(error(), "begun with other options.sentences");
  options.sentences = Sentences::split;
  write_file(corpus.scratch / "c.txt", "changed\n");
  CHECK_MENTIONS(error(), "begun with other files");
  write_file(corpus.partial() / "note.json", "{}");
  CHECK_MENTIONS(error(), "note.json: it is damaged");
  options.resume = false;
  options.overwrite = true;
  build_corpus(corpus.out(), letters(), options);
  CHECK_FALSE(fs::exists(corpus.partial()));
}

TEST_CASE("text that is wrong leaves nothing of a build behind") {
  Corpus corpus;
  write_file(corpus.scratch / "c.txt", "a\nb\xFF\n");
  CHECK_MENTIONS(error_of([&] { build_corpus(corpus.out(), letters(), corpus.options); }),
                 "c.txt:2");
  CHECK_FALSE(fs::exists(corpus.partial()));
}

}  // namespace
}  // namespace gradus
