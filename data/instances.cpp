#include "gradus/data/instances.h"

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"

namespace gradus {

// Token ranges of the corpus; a document's sentences lie one after the other, so a range needs no
// list of sentences.
struct InstanceSource::Pair {
  int64_t a_begin, b_begin;
  int32_t a_size, b_size;  // before they are cut to length
  int32_t next_label;
};

struct InstanceSource::Epoch {
  int64_t number = 0;
  std::vector<Pair> pairs;
  int64_t same_document_pairs = 0;
};

Random instance_random(uint64_t seed, int64_t epoch, Draw draw, int64_t index) {
  const uint64_t key[] = {seed, static_cast<uint64_t>(epoch), static_cast<uint64_t>(draw)};
  return Random(hash_bytes(key, sizeof(key)), static_cast<uint64_t>(index));
}

InstanceSource::InstanceSource(const CorpusFile& corpus, Split split,
                               const InstanceOptions& options, uint64_t seed)
    : corpus_(corpus), documents_(corpus.documents(split)), options_(options), seed_(seed) {
  check(options.max_seq_length >= 5,
        "options.max_seq_length {}: an instance needs at least 5 tokens, [CLS] A [SEP] B [SEP]",
        options.max_seq_length);
  check(options.masked_lm_prob > 0 && options.masked_lm_prob < 1,
        "options.masked_lm_prob {}: it is a share of the tokens, above 0 and below 1",
        options.masked_lm_prob);
  check(options.max_predictions_per_seq >= 0,
        "options.max_predictions_per_seq {}: at least 1, or 0 for no limit",
        options.max_predictions_per_seq);
  check(options.short_seq_prob >= 0 && options.short_seq_prob <= 1,
        "options.short_seq_prob {}: it is a probability, from 0 to 1", options.short_seq_prob);
  check(!documents_.empty(), "{} has no {} documents{}", corpus.path().string(), name(split),
        split == Split::validation
            ? "; build it with options.validation or options.validation_fraction"
            : "");
  const Vocabulary& vocabulary = corpus.vocabulary();
  for (const auto& token : vocabulary.tokens()) continuation_.push_back(token.starts_with("##"));
}

// ---- planning: which tokens become which pair

// How often an epoch sees a document.
int64_t InstanceSource::copies(size_t place, int64_t epoch) const {
  const int64_t document = documents_[place];
  const double weight = corpus_.info().files[corpus_.document(document).file].weight,
               whole = std::floor(weight);
  if (weight == whole) return static_cast<int64_t>(whole);
  return static_cast<int64_t>(whole) +
         (instance_random(seed_, epoch, Draw::copies, document).uniform() < weight - whole);
}

Random InstanceSource::document_random(size_t place, int64_t epoch, int64_t copy) const {
  return instance_random(seed_, epoch, Draw::document,
                         documents_[place] + copy * corpus_.document_count());
}

// create_instances_from_document, with lengths in place of tokens; the draws are made in the
// reference's order.
void InstanceSource::plan_pairs(size_t place, int64_t epoch, int64_t copy, Epoch& out) const {
  Random random = document_random(place, epoch, copy);
  const auto document_count = static_cast<int64_t>(documents_.size());
  const int64_t first = corpus_.first_sentence(documents_[place]),
                last = corpus_.first_sentence(documents_[place] + 1);
  const int64_t max_tokens = options_.max_seq_length - 3;
  const int64_t target =
      random.uniform() < options_.short_seq_prob ? random.between(2, max_tokens) : max_tokens;

  int64_t chunk = first;  // the chunk is the sentences [chunk, s]
  for (int64_t s = first; s < last; ++s) {
    if (s + 1 < last && corpus_.first_token(s + 1) - corpus_.first_token(chunk) < target) continue;
    const int64_t segments = s + 1 - chunk;
    const int64_t a_end = chunk + (segments >= 2 ? random.between(1, segments - 1) : 1);
    Pair pair{corpus_.first_token(chunk), 0,
              static_cast<int32_t>(corpus_.first_token(a_end) - corpus_.first_token(chunk)), 0, 0};
    if (segments == 1 || random.uniform() < 0.5) {
      size_t other = place;
      for (int tries = 0; tries < 10 && other == place; ++tries)
        other = static_cast<size_t>(random.below(document_count));
      const int64_t other_first = corpus_.first_sentence(documents_[other]),
                    other_last = corpus_.first_sentence(documents_[other] + 1);
      const int64_t begin = random.between(other_first, other_last - 1),
                    wanted = target - pair.a_size;
      int64_t end = begin + 1;
      while (end < other_last && corpus_.first_token(end) - corpus_.first_token(begin) < wanted)
        ++end;
      pair.b_begin = corpus_.first_token(begin);
      pair.b_size = static_cast<int32_t>(corpus_.first_token(end) - pair.b_begin);
      pair.next_label = 1;
      out.same_document_pairs += other == place;
      s = a_end - 1;  // the segments that were not used are put back
    } else {
      pair.b_begin = corpus_.first_token(a_end);
      pair.b_size = static_cast<int32_t>(corpus_.first_token(s + 1) - pair.b_begin);
    }
    out.pairs.push_back(pair);
    chunk = s + 1;
  }
}

// Whole sentences of one document, as many as fit; a sentence longer than an instance is cut into
// several.
void InstanceSource::plan_single(size_t place, int64_t epoch, int64_t copy, Epoch& out) const {
  Random random = document_random(place, epoch, copy);
  const int64_t max_tokens = options_.max_seq_length - 2;
  const int64_t target =
      random.uniform() < options_.short_seq_prob ? random.between(2, max_tokens) : max_tokens;
  const int64_t last = corpus_.first_sentence(documents_[place] + 1);
  for (int64_t s = corpus_.first_sentence(documents_[place]); s < last;) {
    int64_t begin = corpus_.first_token(s++);
    while (s < last && corpus_.first_token(s + 1) - begin <= target) ++s;
    for (const int64_t end = corpus_.first_token(s); begin < end; begin += max_tokens)
      out.pairs.push_back(
          {begin, 0, static_cast<int32_t>(std::min(max_tokens, end - begin)), 0, -1});
  }
}

// `once`: each document once, whatever its weight.
InstanceSource::Epoch InstanceSource::plan_epoch(int64_t epoch, bool once) const {
  constexpr int64_t grain = 16;
  const auto count = static_cast<int64_t>(documents_.size());
  std::vector<Epoch> blocks(static_cast<size_t>((count + grain - 1) / grain));
  parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    Epoch& block = blocks[static_cast<size_t>(begin / grain)];
    for (int64_t d = begin; d < end; ++d) {
      const auto place = static_cast<size_t>(d);
      for (int64_t copy = once ? 0 : copies(place, epoch) - 1; copy >= 0; --copy)
        options_.next_sentence ? plan_pairs(place, epoch, copy, block)
                               : plan_single(place, epoch, copy, block);
    }
  });
  Epoch all;
  all.number = epoch;
  for (const auto& block : blocks) {
    all.pairs.insert(all.pairs.end(), block.pairs.begin(), block.pairs.end());
    all.same_document_pairs += block.same_document_pairs;
  }
  // weights below 1, and chance left none
  if (all.pairs.empty() && !once) return plan_epoch(epoch, true);
  instance_random(seed_, epoch, Draw::order, 0).shuffle(all.pairs);
  return all;
}

std::shared_ptr<const InstanceSource::Epoch> InstanceSource::plan(int64_t epoch) const {
  const std::lock_guard lock(mutex_);
  for (const auto& known : plans_)
    if (known->number == epoch) return known;
  if (plans_.size() == 2) plans_.erase(plans_.begin());
  return plans_.emplace_back(std::make_shared<const Epoch>(plan_epoch(epoch)));
}

int64_t InstanceSource::length(const Pair& pair) const {
  if (!options_.next_sentence) return pair.a_size + 2;
  return std::min<int64_t>(int64_t{pair.a_size} + pair.b_size, options_.max_seq_length - 3) + 3;
}

const InstanceSource::Pair& InstanceSource::pair(const Epoch& epoch, int64_t index) const {
  check(index >= 0 && index < static_cast<int64_t>(epoch.pairs.size()),
        "instance {} of epoch {}: the epoch has {}", index, epoch.number, epoch.pairs.size());
  return epoch.pairs[static_cast<size_t>(index)];
}

int64_t InstanceSource::size(int64_t epoch) const {
  return static_cast<int64_t>(plan(epoch)->pairs.size());
}
int64_t InstanceSource::length(int64_t epoch, int64_t index) const {
  return length(pair(*plan(epoch), index));
}
int64_t InstanceSource::same_document_pairs(int64_t epoch) const {
  return plan(epoch)->same_document_pairs;
}

int64_t InstanceSource::tokens(int64_t epoch) const {
  int64_t sum = 0;
  for (const Pair& pair : plan(epoch)->pairs) sum += length(pair);
  return sum;
}

// ---- making one instance

Instance InstanceSource::get(int64_t epoch, int64_t index,
                             std::optional<double> masked_lm_prob) const {
  const auto plan = this->plan(epoch);
  const Pair& pair = this->pair(*plan, index);
  Random random = instance_random(seed_, epoch, Draw::instance, index);

  // truncate_seq_pair: while too long, the longer one (B if equal) loses a token, at its front or
  // its back.
  int64_t a = pair.a_begin, a_end = a + pair.a_size, b = pair.b_begin, b_end = b + pair.b_size;
  if (options_.next_sentence) {
    while ((a_end - a) + (b_end - b) > options_.max_seq_length - 3) {
      const bool from_a = a_end - a > b_end - b, front = random.uniform() < 0.5;
      if (front) ++(from_a ? a : b);
      else --(from_a ? a_end : b_end);
    }
  }

  const Vocabulary& vocabulary = corpus_.vocabulary();
  Instance instance;
  instance.next_label = pair.next_label;
  instance.ids.reserve(static_cast<size_t>(options_.max_seq_length));
  instance.ids.push_back(vocabulary.cls());
  corpus_.tokens(a, a_end).append_to(instance.ids);
  instance.ids.push_back(vocabulary.sep());
  instance.types.assign(instance.ids.size(), 0);
  if (options_.next_sentence) {
    corpus_.tokens(b, b_end).append_to(instance.ids);
    instance.ids.push_back(vocabulary.sep());
    instance.types.resize(instance.ids.size(), 1);
  }
  mask(instance, masked_lm_prob.value_or(options_.masked_lm_prob), random);
  return instance;
}

// create_masked_lm_predictions: candidates in random order until enough tokens are chosen; a word
// that would be too many is passed over.
void InstanceSource::mask(Instance& instance, double share, Random& random) const {
  const Vocabulary& vocabulary = corpus_.vocabulary();
  auto& ids = instance.ids;
  std::vector<int32_t> places;  // of all tokens that may be masked
  struct Word {                 // places [begin, end): one token, or all pieces of a word
    size_t begin, end;
  };
  std::vector<Word> words;
  for (int32_t i = 0; i < static_cast<int32_t>(ids.size()); ++i) {
    const int32_t id = ids[static_cast<size_t>(i)];
    if (id == vocabulary.cls() || id == vocabulary.sep()) continue;
    // As in the reference, a B that was cut to begin inside a word joins the last word of A.
    if (options_.whole_word_mask && !words.empty() && continuation_[static_cast<size_t>(id)])
      ++words.back().end;
    else words.push_back({places.size(), places.size() + 1});
    places.push_back(i);
  }

  // nearbyint rounds halves to even, as Python's round does.
  const auto asked = static_cast<size_t>(std::nearbyint(static_cast<double>(ids.size()) * share));
  size_t wanted = std::max<size_t>(1, asked);
  if (options_.max_predictions_per_seq > 0)
    wanted = std::min(wanted, static_cast<size_t>(options_.max_predictions_per_seq));
  std::vector<std::pair<int32_t, int32_t>> chosen;  // position, label
  for (size_t w = 0; w < words.size() && chosen.size() < wanted; ++w) {
    std::swap(words[w],
              // a shuffle, as far as it is needed
              words[w + static_cast<size_t>(random.below(static_cast<int64_t>(words.size() - w)))]);
    if (chosen.size() + words[w].end - words[w].begin > wanted) continue;
    for (size_t p = words[w].begin; p < words[w].end; ++p) {
      int32_t& id = ids[static_cast<size_t>(places[p])];
      chosen.emplace_back(places[p], id);
      if (random.uniform() < 0.8) id = vocabulary.mask();
      else if (random.uniform() >= 0.5) id = static_cast<int32_t>(random.below(vocabulary.size()));
    }
  }
  std::sort(chosen.begin(), chosen.end());
  for (const auto& [position, label] : chosen) {
    instance.positions.push_back(position);
    instance.labels.push_back(label);
  }
}

}  // namespace gradus
