// The training examples of an epoch: masked sentence pairs (Devlin et al. 2018), drawn by the rules
// of google-research/bert's create_pretraining_data.py, but anew in each epoch (dynamic masking)
// and never stored: instance i of an epoch is a function of (seed, epoch, i).
//
// An epoch is planned first, by lengths alone: for each document, one walk that decides which
// tokens become A and B of which pair (36 bytes a pair, all documents at once, the same on any
// number of threads). A document of weight w (corpus_file.h) is walked w times, w's fraction by
// chance, each time by draws of its own. get() then cuts one pair to length, masks it and is done.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "gradus/base/random.h"
#include "gradus/data/corpus_file.h"

namespace gradus {

// [CLS] A [SEP] B [SEP], or [CLS] A [SEP] without next-sentence prediction. Parallel arrays; no
// padding.
struct Instance {
  std::vector<int32_t> ids;        // as the model sees them
  std::vector<int32_t> types;      // 0 up to and with the first [SEP], then 1
  std::vector<int32_t> positions;  // of the predictions, ascending
  std::vector<int32_t> labels;     // the ids that stood there
  int32_t next_label = -1;         // 0: B follows A; 1: B is from anywhere else; -1: there is no B
};

struct InstanceOptions {
  int max_seq_length = 128;
  double masked_lm_prob = 0.15;
  int max_predictions_per_seq = 20;  // 0: as many as masked_lm_prob says
  // the share of documents, drawn anew each epoch, that are cut to a random shorter length
  double short_seq_prob = 0.1;
  bool whole_word_mask = false;  // mask all pieces of a word or none
  // false: each instance is as many whole sentences of one document as fit
  bool next_sentence = true;
};

class InstanceSource {
 public:
  // `corpus` must outlive the source. Errors: an option out of range, a split without documents.
  InstanceSource(const CorpusFile& corpus, Split split, const InstanceOptions& options,
                 uint64_t seed);

  // All const members may be called by any number of threads at once.
  int64_t size(int64_t epoch) const;
  // masked_lm_prob: in place of that of the options
  Instance get(int64_t epoch, int64_t index, std::optional<double> masked_lm_prob = {}) const;
  int64_t length(int64_t epoch, int64_t index) const;  // ids of that instance, without making it
  int64_t tokens(int64_t epoch) const;                 // the sum of all lengths

  // Pairs labelled random whose B is from A's own document, as the reference makes them when ten
  // tries find no other: above 0 the split has very few documents (one, mostly), and next-sentence
  // labels are partly wrong.
  int64_t same_document_pairs(int64_t epoch) const;

  const InstanceOptions& options() const { return options_; }

 private:
  struct Pair;
  struct Epoch;
  std::shared_ptr<const Epoch> plan(int64_t epoch) const;
  Epoch plan_epoch(int64_t epoch, bool once = false) const;
  int64_t copies(size_t place, int64_t epoch) const;
  Random document_random(size_t place, int64_t epoch, int64_t copy) const;
  void plan_pairs(size_t place, int64_t epoch, int64_t copy, Epoch& out) const;
  void plan_single(size_t place, int64_t epoch, int64_t copy, Epoch& out) const;
  void mask(Instance& instance, double share, Random& random) const;
  const Pair& pair(const Epoch& epoch, int64_t index) const;
  int64_t length(const Pair& pair) const;

  const CorpusFile& corpus_;
  std::span<const int64_t> documents_;
  InstanceOptions options_;
  uint64_t seed_;
  std::vector<bool> continuation_;  // by id: a piece that begins with ##
  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const Epoch>> plans_;  // the two used last
};

// The random streams of an epoch, one a document (its plan) and one an instance (its cutting and
// masking); named so that a test can draw the same.
enum class Draw : uint64_t { document, instance, order, copies };
Random instance_random(uint64_t seed, int64_t epoch, Draw draw, int64_t index);

}  // namespace gradus
