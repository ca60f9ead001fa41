#include <omp.h>

#include <algorithm>

#include "gradus/base/file.h"
#include "gradus/base/random.h"
#include "gradus/text/wordpiece_trainer.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {
std::string some_text(uint64_t seed, int words) {
  Random random(seed);
  std::string text;
  for (int i = 0; i < words; ++i) {
    const int64_t n = 1 + random.below(6) * random.below(2);
    for (int64_t j = 0; j < n; ++j)
      text += static_cast<char>('a' + random.below(3 + random.below(10)));
    text += random.below(12) ? ' ' : '\n';
  }
  return text;
}
WordPieceTrainerOptions of_size(int64_t size) {
  WordPieceTrainerOptions options;
  options.size = size;
  return options;
}
}  // namespace

TEST_CASE("merges by hand: the most frequent pair first, ties by the smaller ids") {
  const Scratch scratch;
  write_file(scratch / "t", "ab ab ab abc abc bc bc bc bc\n");
  // Characters in order: a b c ##b ##c; pairs: a ##b 5, ##b ##c 2, b ##c 4.
  const auto tokens = train_wordpiece({scratch / "t"}, of_size(13));
  CHECK(std::vector<std::string>(tokens.begin() + 5, tokens.end()) ==
        std::vector<std::string>{"a", "b", "c", "##b", "##c", "ab", "bc", "abc"});
  CHECK(std::vector<std::string>(tokens.begin(), tokens.begin() + 5) ==
        std::vector<std::string>{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"});
}

TEST_CASE("the same bytes twice, and on any number of threads") {
  const Scratch scratch;
  write_file(scratch / "a", some_text(1, 400000));
  write_file(scratch / "b", some_text(2, 30000));
  const auto first = train_wordpiece({scratch / "a", scratch / "b"}, of_size(700));
  const int threads = omp_get_max_threads();
  for (const int n : {1, 3}) {
    omp_set_num_threads(n);
    CHECK(train_wordpiece({scratch / "a", scratch / "b"}, of_size(700)) == first);
  }
  omp_set_num_threads(threads);
  std::vector<std::string> sorted = first;
  std::sort(sorted.begin(), sorted.end());
  CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
}

TEST_CASE("statistics, likelihood, casing, the alphabet's limit") {
  const Scratch scratch;
  write_file(scratch / "t", "The cat. The CAT! the été\n");
  WordPieceStatistics statistics;
  auto tokens = train_wordpiece({scratch / "t"}, of_size(60), &statistics);
  CHECK(statistics.words == 8);
  CHECK(statistics.distinct_words == 5);
  CHECK(std::find(tokens.begin(), tokens.end(), "cat") != tokens.end());
  WordPieceTrainerOptions options = of_size(60);
  options.lower_case = false;
  options.criterion = MergeCriterion::likelihood;
  tokens = train_wordpiece({scratch / "t"}, options);
  CHECK(std::find(tokens.begin(), tokens.end(), "##é") != tokens.end());
  options.limit_alphabet = 2;
  tokens = train_wordpiece({scratch / "t"}, options);
  CHECK(tokens.size() < 12);
}

TEST_CASE("errors") {
  const Scratch scratch;
  CHECK_MENTIONS(error_of([&] { train_wordpiece({}, {}); }), "no corpus file");
  CHECK_MENTIONS(error_of([&] { train_wordpiece({scratch / "none"}, {}); }), "none");
  write_file(scratch / "empty", " \n\n");
  CHECK_MENTIONS(error_of([&] { train_wordpiece({scratch / "empty"}, {}); }), "no word");
  write_file(scratch / "bad", "fine\nfine\nbad \xC3( here\n");
  CHECK_MENTIONS(error_of([&] { train_wordpiece({scratch / "bad"}, {}); }), "bad:3");
  write_file(scratch / "t", "a b c d e f g\n");
  CHECK_MENTIONS(error_of([&] { train_wordpiece({scratch / "t"}, of_size(8)); }), "too small");
}

TEST_CASE("a text is one line or many, of any length; a word without end counts nowhere") {
  const Scratch scratch;
  std::string text = some_text(5, 700'000);  // two blocks and more
  write_file(scratch / "lines", text);
  std::replace(text.begin(), text.end(), '\n', ' ');
  write_file(scratch / "line", text);
  const auto wanted = train_wordpiece({scratch / "lines"}, of_size(300));
  CHECK(train_wordpiece({scratch / "line"}, of_size(300)) == wanted);
  write_file(scratch / "word", text + std::string(5'000'000, 'q'));
  CHECK(train_wordpiece({scratch / "word"}, of_size(300)) == wanted);
}
