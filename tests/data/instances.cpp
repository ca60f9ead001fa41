#include "gradus/data/instances.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "tests/data/corpora.h"

namespace gradus {
namespace {

using testing::error_of;
using testing::Scratch;

// What stood there before masking.
std::vector<int32_t> unmasked(const Instance& instance) {
  auto ids = instance.ids;
  for (size_t i = 0; i < instance.positions.size(); ++i)
    ids[static_cast<size_t>(instance.positions[i])] = instance.labels[i];
  return ids;
}

bool same(const Instance& a, const Instance& b) {
  return a.ids == b.ids && a.types == b.types && a.positions == b.positions &&
         a.labels == b.labels && a.next_label == b.next_label;
}

// create_pretraining_data.py, create_instances_from_document, line by line (google-research/bert,
// Apache 2.0), without masking and truncation.
struct OraclePair {
  std::vector<int32_t> a, b;
  bool is_random_next = false;
};
using Document = std::vector<std::vector<int32_t>>;
std::vector<OraclePair> oracle(const std::vector<Document>& all_documents, size_t document_index,
                               int max_seq_length, double short_seq_prob, Random rng) {
  const Document& document = all_documents[document_index];
  const int64_t max_num_tokens = max_seq_length - 3;
  int64_t target_seq_length = max_num_tokens;
  if (rng.uniform() < short_seq_prob) target_seq_length = rng.between(2, max_num_tokens);
  std::vector<OraclePair> instances;
  Document current_chunk;
  int64_t current_length = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(document.size()); ++i) {
    const auto& segment = document[static_cast<size_t>(i)];
    current_chunk.push_back(segment);
    current_length += static_cast<int64_t>(segment.size());
    if (i != static_cast<int64_t>(document.size()) - 1 && current_length < target_seq_length)
      continue;
    size_t a_end = 1;
    if (current_chunk.size() >= 2)
      a_end = static_cast<size_t>(rng.between(1, static_cast<int64_t>(current_chunk.size()) - 1));
    OraclePair pair;
    for (size_t j = 0; j < a_end; ++j)
      pair.a.insert(pair.a.end(), current_chunk[j].begin(), current_chunk[j].end());
    if (current_chunk.size() == 1 || rng.uniform() < 0.5) {
      pair.is_random_next = true;
      const int64_t target_b_length = target_seq_length - static_cast<int64_t>(pair.a.size());
      size_t random_document_index = document_index;
      for (int tries = 0; tries < 10; ++tries) {
        random_document_index =
            static_cast<size_t>(rng.between(0, static_cast<int64_t>(all_documents.size()) - 1));
        if (random_document_index != document_index) break;
      }
      const Document& random_document = all_documents[random_document_index];
      const auto random_start =
          static_cast<size_t>(rng.between(0, static_cast<int64_t>(random_document.size()) - 1));
      for (size_t j = random_start; j < random_document.size(); ++j) {
        pair.b.insert(pair.b.end(), random_document[j].begin(), random_document[j].end());
        if (static_cast<int64_t>(pair.b.size()) >= target_b_length) break;
      }
      i -= static_cast<int64_t>(current_chunk.size() - a_end);
    } else {
      for (size_t j = a_end; j < current_chunk.size(); ++j)
        pair.b.insert(pair.b.end(), current_chunk[j].begin(), current_chunk[j].end());
    }
    instances.push_back(pair);
    current_chunk.clear();
    current_length = 0;
  }
  return instances;
}
void truncate_seq_pair(std::vector<int32_t>& a, std::vector<int32_t>& b, int64_t max_num_tokens,
                       Random& rng) {
  while (static_cast<int64_t>(a.size() + b.size()) > max_num_tokens) {
    auto& longer = a.size() > b.size() ? a : b;
    if (rng.uniform() < 0.5) longer.erase(longer.begin());
    else longer.pop_back();
  }
}

TEST_CASE("pairs are those of Google's create_pretraining_data.py, draw for draw") {
  const Scratch scratch;
  for (const auto& [documents, max_sentences, max_length, max_seq_length] :
       {std::array{60, 20, 12, 64}, std::array{40, 6, 90, 32}, std::array{30, 3, 3, 128},
        std::array{1, 40, 10, 24}}) {
    const auto path = scratch / "c.gds";
    testing::write_numbered_corpus(path, documents, max_sentences, max_length, 60000);
    const CorpusFile corpus = CorpusFile::open(path);
    std::vector<Document> all;
    for (int64_t d = 0; d < corpus.document_count(); ++d) {
      auto& document = all.emplace_back();
      for (int64_t s = corpus.first_sentence(d); s < corpus.first_sentence(d + 1); ++s)
        corpus.sentence(s).append_to(document.emplace_back());
    }
    const InstanceSource source(corpus, Split::train,
                                {.max_seq_length = max_seq_length, .short_seq_prob = 0.3}, 11);
    for (const int64_t epoch : {0, 3}) {
      std::vector<OraclePair> expected;
      for (size_t d = 0; d < all.size(); ++d)
        for (auto& pair :
             oracle(all, d, max_seq_length, 0.3,
                    instance_random(11, epoch, Draw::document, static_cast<int64_t>(d))))
          expected.push_back(pair);
      instance_random(11, epoch, Draw::order, 0).shuffle(expected);
      REQUIRE(source.size(epoch) == static_cast<int64_t>(expected.size()));
      int64_t tokens = 0;
      for (int64_t i = 0; i < source.size(epoch); ++i) {
        auto& [a, b, is_random_next] = expected[static_cast<size_t>(i)];
        Random rng = instance_random(11, epoch, Draw::instance, i);
        truncate_seq_pair(a, b, max_seq_length - 3, rng);
        std::vector<int32_t> ids = {2}, types;
        ids.insert(ids.end(), a.begin(), a.end());
        ids.push_back(3);
        types.assign(ids.size(), 0);
        ids.insert(ids.end(), b.begin(), b.end());
        ids.push_back(3);
        types.resize(ids.size(), 1);
        const Instance instance = source.get(epoch, i);
        CHECK(unmasked(instance) == ids);
        CHECK(instance.types == types);
        CHECK(instance.next_label == is_random_next);
        CHECK(source.length(epoch, i) == static_cast<int64_t>(ids.size()));
        tokens += static_cast<int64_t>(ids.size());
      }
      CHECK(source.tokens(epoch) == tokens);
      CHECK((source.same_document_pairs(epoch) > 0) == (documents == 1));
    }
  }
}

TEST_CASE("masking: how many, which, and by what") {
  const Scratch scratch;
  constexpr int words = 200;
  testing::write_numbered_corpus(scratch / "c.gds", 400, 20, 12, words);
  const CorpusFile corpus = CorpusFile::open(scratch / "c.gds");
  const InstanceSource source(corpus, Split::train, {.short_seq_prob = 0.3}, 5);
  double predicted = 0, masked = 0, kept = 0, random_next = 0, pairs = 0;
  std::vector<double> replaced(words + 5);
  std::set<size_t> lengths;
  for (int64_t epoch = 0; epoch < 8; ++epoch) {
    for (int64_t i = 0; i < source.size(epoch); ++i) {
      const Instance instance = source.get(epoch, i);
      const size_t n = instance.ids.size();
      lengths.insert(n);
      // Python's round(n * 0.15): a half goes to the even number.
      const double exact = static_cast<double>(n) * 0.15;
      const auto rounded = static_cast<size_t>(std::nearbyint(exact));
      REQUIRE(instance.positions.size() == std::min<size_t>(20, std::max<size_t>(1, rounded)));
      REQUIRE(instance.labels.size() == instance.positions.size());
      REQUIRE(std::adjacent_find(instance.positions.begin(), instance.positions.end(),
                                 std::greater_equal<>()) == instance.positions.end());
      for (size_t k = 0; k < instance.positions.size(); ++k) {
        const int32_t id = instance.ids[static_cast<size_t>(instance.positions[k])],
                      label = instance.labels[k];
        REQUIRE(label >= 5);  // never [CLS] or [SEP]
        ++predicted;
        // of the random replacements one in 205 is [MASK] too: within the tolerance
        if (id == 4) ++masked;
        else if (id == label) ++kept;
        else ++replaced[static_cast<size_t>(id)];
      }
      random_next += instance.next_label;
      ++pairs;
    }
  }
  CHECK(lengths.contains(30));  // 4.5 becomes 4
  CHECK(predicted > 50000);
  const double share = 4 * std::sqrt(0.16 / predicted);  // four standard errors of a share near 0.8
  CHECK(masked / predicted == doctest::Approx(0.8 + 0.1 / (words + 5)).epsilon(share / 0.8));
  CHECK(kept / predicted == doctest::Approx(0.1 + 0.1 / (words + 5)).epsilon(share / 0.1));
  // The replacements are even over the whole vocabulary, special tokens included ([MASK] is counted
  // above).
  double all = 0, chi_square = 0;
  for (const double count : replaced) all += count;
  for (size_t id = 0; id < replaced.size(); ++id)
    if (id != 4) chi_square += std::pow(replaced[id] - all / (words + 4), 2) / (all / (words + 4));
  CHECK(chi_square < words + 3 + 5 * std::sqrt(2.0 * words));
  CHECK(random_next / pairs > 0.5);  // single-segment chunks are always random
  CHECK(random_next / pairs < 0.75);
}

TEST_CASE("masks are drawn anew each epoch, and whole words whole") {
  const Scratch scratch;
  testing::write_numbered_corpus(scratch / "c.gds", 50, 20, 12, 60000);
  const CorpusFile corpus = CorpusFile::open(scratch / "c.gds");
  const InstanceSource source(corpus, Split::train, {.whole_word_mask = true}, 5),
      other(corpus, Split::train, {.whole_word_mask = true}, 6);
  CHECK_FALSE(same(source.get(0, 0), source.get(1, 0)));
  CHECK_FALSE(same(source.get(0, 0), other.get(0, 0)));
  CHECK(same(source.get(0, 0), source.get(0, 0)));
  int64_t pieces = 0;
  for (int64_t i = 0; i < source.size(0); ++i) {
    const Instance instance = source.get(0, i);
    const auto ids = unmasked(instance);
    const std::set<int32_t> chosen(instance.positions.begin(), instance.positions.end());
    for (size_t p = 1; p + 1 < ids.size(); ++p) {
      // A piece goes with what is before it: the same choice for both. (Before the first token of A
      // there is nothing to go with; B's may go with A's last.)
      if (!corpus.vocabulary().token(ids[p]).starts_with("##") || ids[p - 1] < 5) continue;
      CHECK(chosen.contains(static_cast<int32_t>(p)) ==
            chosen.contains(static_cast<int32_t>(p) - 1));
      pieces += chosen.contains(static_cast<int32_t>(p));
    }
  }
  CHECK(pieces > 20);
}

TEST_CASE(
    "without next sentences, every token of a document is seen once and no other document's with "
    "it") {
  const Scratch scratch;
  testing::write_numbered_corpus(scratch / "c.gds", 40, 8, 90, 60000);
  const CorpusFile corpus = CorpusFile::open(scratch / "c.gds");
  const InstanceSource source(corpus, Split::train, {.max_seq_length = 64, .next_sentence = false},
                              5);
  std::vector<int32_t> seen;
  for (int64_t i = 0; i < source.size(2); ++i) {
    const Instance instance = source.get(2, i);
    CHECK(instance.next_label == -1);
    CHECK(instance.ids.size() <= 64);
    CHECK(*std::max_element(instance.types.begin(), instance.types.end()) == 0);
    const auto ids = unmasked(instance);
    seen.insert(seen.end(), ids.begin() + 1, ids.end() - 1);
    const auto document_of = [&](int32_t id) {  // ids are 5 + the token's number
      int64_t d = 0;
      while (corpus.first_token(corpus.first_sentence(d + 1)) <= id - 5) ++d;
      return d;
    };
    CHECK(document_of(ids[1]) == document_of(ids[ids.size() - 2]));
  }
  std::sort(seen.begin(), seen.end());
  REQUIRE(static_cast<int64_t>(seen.size()) == corpus.token_count());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("instances do not depend on threads or on the order of asking") {
  const Scratch scratch;
  testing::write_numbered_corpus(scratch / "c.gds", 200, 20, 12, 60000);
  const CorpusFile corpus = CorpusFile::open(scratch / "c.gds");
  const int threads = omp_get_max_threads();
  const auto take = [&](int n, bool backward) {
    omp_set_num_threads(n);
    const InstanceSource source(corpus, Split::train, {}, 5);
    std::vector<Instance> all(static_cast<size_t>(source.size(1)));
    const auto count = static_cast<int64_t>(all.size());
#pragma omp parallel for
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = backward ? count - 1 - i : i;
      if (i % 50 == 0) source.get(i % 3, 0);  // other epochs between
      all[static_cast<size_t>(at)] = source.get(1, at);
    }
    omp_set_num_threads(threads);
    return all;
  };
  const auto one = take(1, false), many = take(4, true);
  REQUIRE(one.size() == many.size());
  CHECK(std::equal(one.begin(), one.end(), many.begin(), same));
}

TEST_CASE("what cannot be drawn says why") {
  const Scratch scratch;
  testing::write_numbered_corpus(scratch / "c.gds", 2, 2, 2, 10);
  const CorpusFile corpus = CorpusFile::open(scratch / "c.gds");
  const auto error = [&](Split split, InstanceOptions options) {
    return error_of([&] { InstanceSource(corpus, split, options, 0); });
  };
  CHECK_MENTIONS(error(Split::validation, {}), "no validation documents");
  CHECK_MENTIONS(error(Split::train, {.max_seq_length = 4}), "max_seq_length 4");
  CHECK_MENTIONS(error(Split::train, {.masked_lm_prob = 1.5}), "1.5");
  CHECK_MENTIONS(error(Split::train, {.max_predictions_per_seq = -1}),
                 "max_predictions_per_seq -1");
  CHECK_MENTIONS(error(Split::train, {.short_seq_prob = -1}), "short_seq_prob -1");
  const InstanceSource source(corpus, Split::train, {}, 0);
  CHECK_MENTIONS(error_of([&] { source.get(0, source.size(0)); }), "the epoch has");
}

}  // namespace
}  // namespace gradus
