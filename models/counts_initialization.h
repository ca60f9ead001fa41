// A BERT that begins with what the corpus says without training: which words go together, how often
// each stands, and where a token's neighbours are. Nothing but values is changed: the folder is
// that of the published model, and every tool opens it.
//
// A BERT that begins from noise stays at the loss of a unigram model for millions of tokens,
// because it has two things to find that are of use only together: heads that look at the
// neighbours, and embeddings that say what the neighbours mean. This one begins with both, and is
// below the unigram loss before its first step is done (docs/pretraining.md).
//
//   initialize_bert(list, config, BertInitialization::hugging_face, seed);
//   initialize_from_counts(list, config, {vectors, log_frequency});   // all of the below
//
// Each part is a function of its own on the parameters of a BERT with an MLM head (models/bert.h);
// an Error where the list lacks what it sets. What they do not set stays as it was.
#pragma once

#include <span>

#include "gradus/models/bert.h"

namespace gradus {

struct CountsInitialization {
  std::span<const float> vectors;        // [vocab_size, hidden_size], root mean square 1
  std::span<const float> log_frequency;  // [vocab_size]: natural logarithms of probabilities
  double rms = 0.05;                     // of the embeddings and the positions
  double sharpness = 1.3;                // of the heads: how much of their scores is the offset
  double turned = 1.6;                   // the same of a ModernBERT's
  int64_t layers = 2;                    // whose heads look at an offset, the first ones
  double passed_on = 0.7, transformed = 0.3;
};

// The embeddings, the heads of either kind of positions, and the values that are passed on.
void initialize_from_counts(const ParameterList& list, const BertConfig& config,
                            const CountsInitialization& with);

// The decoder's bias: before anything is known of a sentence, a word's logit is the logarithm of
// its frequency.
void begin_output_bias(const ParameterList& list, const BertConfig& config,
                       std::span<const float> log_frequency);

// That, and the word embeddings, which are also the decoder's.
void begin_with_counts(const ParameterList& list, const BertConfig& config,
                       const CountsInitialization& with);

// Frequencies w_i of the position features: position t has sin(w_i t), cos(w_i t) as features 2 i
// and 2 i + 1. The first head_size / 2 lie evenly over (0, pi), each moved within its cell by the
// golden ratio, so that the sum of cos(w_i d) is large at d = 0 and small everywhere else; the
// others fall by powers from 1 to 1/1000, for what is far away.
std::vector<double> position_frequencies(const BertConfig& config);
void place_positions(const ParameterList& list, const BertConfig& config, double rms);

// Head by head of the first layers: the tokens at distance -1, +1, -2, +2, -3, +3, then again. The
// key reads the first head_size position features, the query the same turned by w_i d, since
// sin(w (t + d)) = sin(w t) cos(w d) + cos(w t) sin(w d): their product is largest d tokens away.
int64_t head_offset(const BertConfig& config, int64_t layer, int64_t head);
void look_at_offsets(const ParameterList& list, const BertConfig& config, int64_t layers,
                     double sharpness);

// A ModernBERT has no position features, its positions are turns of queries and keys; and no biases
// that could be turned. So every embedding gets a direction that all share (the decoder's softmax
// does not see it), which queries and keys read: the key as (1, 0) in each pair of features that is
// turned fast enough, the query turned by w_i d, w_i the pair's rotary frequency. Positions m and n
// then score turned^2 sum_i cos(w_i (m + d - n)) times the square of the direction's share of a
// token, which is largest where n is d away.
void share_a_direction(const ParameterList& list, const BertConfig& config, double rms);
void turn_to_offsets(const ParameterList& list, const BertConfig& config, int64_t layers,
                     double turned);

// What a head reads it hands on as it is: the value and output matrices of every layer add
// passed_on times the identity, the MLM head's transform `transformed` times.
void pass_values_on(const ParameterList& list, const BertConfig& config, double passed_on,
                    double transformed);

}  // namespace gradus
