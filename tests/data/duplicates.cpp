#include <algorithm>

#include "gradus/base/parallel.h"
#include "gradus/base/spool.h"
#include "gradus/data/corpus_builder.h"
#include "gradus/data/near_duplicates.h"
#include "gradus/data/seen_lines.h"
#include "tests/data/corpora.h"

namespace gradus {
namespace {

using testing::error_of;
using testing::Scratch;

TEST_CASE("a spool is sorted in the memory of a part of it") {
  const Scratch scratch;
  Spool<uint64_t> spool(scratch / "s");
  Random random(1);
  std::vector<uint64_t> values(10007), sorted;
  for (auto& value : values) spool.push_back(value = random.wide_bits() >> 50);
  external_sort(
      spool, [&](uint64_t value) { sorted.push_back(value); }, 100);
  std::sort(values.begin(), values.end());
  CHECK(sorted == values);
  // what is kept of one
  CHECK(Spool<uint64_t>(scratch / "s", 12).size() == 12);
  CHECK_MENTIONS(error_of([&] { Spool<uint64_t>(scratch / "s", 99); }), "792 were to be there");
}

TEST_CASE("lines that were there before") {
  const Scratch scratch;
  SeenLines lines(scratch / "l");
  for (const char* line : {"a", "b", "a", "c", "b", "a"}) lines.add(line);
  std::vector<bool> which;
  CHECK(lines.repeated(&which) == 3);
  CHECK(which == std::vector<bool>{false, false, true, false, true, true});
}

// Documents of random words; every third is an earlier one with a share of its words changed.
struct Documents {
  std::vector<std::vector<uint16_t>> ids;
  std::vector<double> similarity;  // to the one before it that it is made of, exact
  TokenSpan operator()(int64_t d) const {
    const auto& of_one = ids[static_cast<size_t>(d)];
    return {of_one.data(), std::ssize(of_one), false};
  }
};

double exact(const std::vector<uint16_t>& a, const std::vector<uint16_t>& b) {
  const auto shingles = [](const std::vector<uint16_t>& ids) {
    std::vector<std::vector<uint16_t>> all;
    for (size_t i = 0; i + 5 <= ids.size(); ++i)
      all.emplace_back(ids.begin() + static_cast<std::ptrdiff_t>(i),
                       ids.begin() + static_cast<std::ptrdiff_t>(i) + 5);
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  };
  const auto x = shingles(a), y = shingles(b);
  std::vector<std::vector<uint16_t>> both;
  std::set_intersection(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(both));
  return static_cast<double>(both.size()) / static_cast<double>(x.size() + y.size() - both.size());
}

Documents documents(int count) {
  Documents made;
  Random random(5);
  for (int d = 0; d < count; ++d) {
    if (d % 3 == 2) {
      auto ids = made.ids[static_cast<size_t>(d - random.between(1, 2))];
      const auto& origin = made.ids[static_cast<size_t>(d) - 1];
      ids = origin;
      const double share = random.uniform(0, 0.1);
      for (auto& id : ids)
        if (random.uniform() < share) id = static_cast<uint16_t>(random.below(5000));
      made.similarity.push_back(exact(origin, ids));
      made.ids.push_back(std::move(ids));
    } else {
      auto& ids = made.ids.emplace_back(static_cast<size_t>(random.between(200, 400)));
      for (auto& id : ids) id = static_cast<uint16_t>(random.below(5000));
      made.similarity.push_back(0);
    }
  }
  return made;
}

TEST_CASE("near duplicates: those above the similarity and no others") {
  const Scratch scratch;
  const Documents made = documents(900);
  const auto found = [&](double similarity) {
    return near_duplicates(std::ssize(made.ids), made, similarity, scratch / "bands");
  };
  for (const double similarity : {0.7, 0.9}) {
    const auto which = found(similarity);
    for (size_t d = 0; d < which.size(); ++d) {
      CAPTURE(d);
      CAPTURE(made.similarity[d]);
      CHECK(which[d] == (made.similarity[d] >= similarity));
    }
    CHECK(std::count(which.begin(), which.end(), true) > 30);
    const Threads one(1);
    CHECK(found(similarity) == which);
  }
  CHECK_MENTIONS(error_of([&] { found(0); }), "above 0 to 1");
}

TEST_CASE("near duplicates of few tokens are what is equal") {
  const Scratch scratch;
  const std::vector<std::vector<uint16_t>> ids = {
      {1, 2}, {1, 2}, {2, 1}, {1}, {1, 2, 3, 4, 5, 6}, {1}, {1, 2, 3, 4, 5, 6}};
  const auto which = near_duplicates(
      std::ssize(ids),
      [&](int64_t d) {
        const auto& of_one = ids[static_cast<size_t>(d)];
        return TokenSpan(of_one.data(), std::ssize(of_one), false);
      },
      0.8, scratch / "bands");
  CHECK(which == std::vector<bool>{false, true, false, false, false, true, true});
}

TEST_CASE("a corpus without lines and documents that are there twice") {
  const Scratch scratch;
  write_file(scratch / "in.txt",
             "first one\nheader\n\nfirst two\nheader\n\nhe\nfirst three\nhe\n\nfirst two\n\n"
             "header\n");
  const Tokenizer tokenizer(Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "first",
                                        "one", "two", "three", "header", "he"},
                                       "v"));
  const auto build = [&](int64_t length, double similarity) {
    build_corpus(scratch / "c.gds", tokenizer,
                 {.corpus = {scratch / "in.txt"},
                  .drop_duplicate_lines = length,
                  .drop_near_duplicates = similarity,
                  .overwrite = true});
    const CorpusFile corpus = CorpusFile::open(scratch / "c.gds");
    std::string told = fmt::format("{} {} {}:", corpus.info().duplicate_lines,
                                   corpus.info().dropped_lines, corpus.info().dropped_documents);
    for (int64_t d = 0; d < corpus.document_count(); ++d) {
      told += " |";
      const TokenSpan ids = corpus.tokens(corpus.first_token(corpus.first_sentence(d)),
                                          corpus.first_token(corpus.first_sentence(d + 1)));
      for (int64_t i = 0; i < ids.size(); ++i) told += " " + corpus.vocabulary().token(ids[i]);
    }
    return told;
  };
  CHECK(build(0, 0) ==
        "4 0 0: | first one header | first two header | he first three he | first two | header");
  CHECK(build(1, 0) == "4 4 0: | first one header | first two | he first three");
  CHECK(build(3, 0) == "4 3 0: | first one header | first two | he first three he");
  // documents of fewer than five tokens are alike where they are equal
  write_file(scratch / "in.txt", "first one\n\nhe\n\nfirst one\n\nhe\nhe\n\nheader\n");
  CHECK(build(0, 0.8) == "3 0 1: | first one | he | he he | header");
  CHECK_MENTIONS(error_of([&] { build(-1, 0); }), "options.drop_duplicate_lines -1");
  CHECK_MENTIONS(error_of([&] { build(0, 2); }), "options.drop_near_duplicates 2");
}

}  // namespace
}  // namespace gradus
