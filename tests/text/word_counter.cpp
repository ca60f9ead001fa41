// Counts that were interrupted and gone on with are the counts made at once.
#include "gradus/text/word_counter.h"

#include "gradus/base/file.h"
#include "gradus/base/random.h"
#include "gradus/text/wordpiece_trainer.h"
#include "tests/interrupted.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {

struct Texts {
  Scratch scratch;
  std::vector<fs::path> files;
  WordCountOptions options;

  Texts() {
    Random random(3);
    for (const char* name : {"a.txt", "b.jsonl", "c.txt"}) {
      std::string text;
      for (int i = 0; i < 60000; ++i) {
        std::string line;
        for (int64_t n = random.between(1, 12); n > 0; --n) {
          for (int64_t letters = random.between(1, 5); letters > 0; --letters)
            line += static_cast<char>('a' + random.below(3 + random.below(20)));
          line += ' ';
        }
        text += name[0] == 'b' ? "{\"text\": \"" + line + "\\nz " + line + "\"}\n" : line + "\n";
      }
      write_file(scratch / name, text);
      files.push_back(scratch / name);
    }
    options.partial = scratch / "v.txt.partial";
    options.checkpoint_bytes = 150'000;
  }
  // Ends at the n-th time that it tells how far it is; false: it had come to its end.
  bool interrupted(int n) const {
    return is_interrupted(n, [&](const auto& tell) {
      WordCountOptions some = options;
      some.progress = [&](const std::string&, double, double) { tell(); };
      count_words(files, some);
    });
  }
};

}  // namespace

TEST_CASE("interrupted counts go on to the same, also where rare words are forgotten") {
  for (const int64_t most_words : {1'000'000, 2'000}) {
    Texts texts;
    WordCountOptions& options = texts.options;
    options.most_words = most_words;
    WordCountStatistics at_once, gone_on;
    const WordCounts wanted = count_words(texts.files, options, &at_once);
    CHECK((at_once.forgotten_words > 0) == (most_words == 2'000));
    CHECK_FALSE(fs::exists(options.partial));
    int times = 0;
    for (options.resume = true; texts.interrupted(2); ++times) {
      CHECK(fs::exists(options.partial));
      REQUIRE(times < 30);
    }
    CHECK(times >= 3);
    CHECK_FALSE(fs::exists(options.partial));
    REQUIRE(texts.interrupted(5));
    CHECK(count_words(texts.files, options, &gone_on) == wanted);
    CHECK(gone_on.words == at_once.words);
    CHECK(gone_on.forgotten_words == at_once.forgotten_words);
  }
}

TEST_CASE("interrupted counts are not thrown away, nor gone on with as others") {
  Texts texts;
  WordCountOptions& options = texts.options;
  REQUIRE(texts.interrupted(5));
  const auto error = [&] { return error_of([&] { count_words(texts.files, options); }); };
  CHECK_MENTIONS(error(), "go on with it, with options.resume, or begin anew");
  options.resume = true;
  options.lower_case = false;
  CHECK_MENTIONS(error(), "begun with other options.lower_case");
  options.lower_case = true;
  const std::string kept = read_file(options.partial);
  std::string damaged = kept;
  damaged[damaged.size() / 2] ^= 1;
  write_file(options.partial, damaged);
  CHECK_MENTIONS(error(), "v.txt.partial: it is damaged");
  write_file(options.partial, "{}");
  CHECK_MENTIONS(error(), "v.txt.partial: it is damaged");
  write_file(options.partial, kept);
  write_file(texts.files[2], "changed\n");
  CHECK_MENTIONS(error(), "begun with other files");
  CHECK(read_file(options.partial) == kept);
  texts.files.emplace_back("-");
  CHECK_MENTIONS(error(), "standard input and pipes cannot be read a second time");
  texts.files.pop_back();
  options.resume = false;
  options.overwrite = true;
  write_file(texts.files[2], "a\nb\xFF\n");
  CHECK_MENTIONS(error(), "c.txt:2");
  CHECK_FALSE(fs::exists(options.partial));  // the text must change
}
