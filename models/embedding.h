// Embeddings of texts: one vector per text, pooled from the hidden states of its tokens (Reimers
// and Gurevych 2019, Sentence-BERT).
//
//  embed(model, sequences, {.normalize = true})   // f32 [texts, hidden], in the order of the texts
//
// Texts of similar length run together, as many as a token budget allows; nothing is padded, so the
// budget is all that memory depends on.
#pragma once

#include <functional>

#include "gradus/models/bert.h"
#include "gradus/text/sequence.h"

namespace gradus {

enum class Pooling { mean, cls };

// One vector per sequence: its first row ([CLS]), or the mean of all its rows, those of [CLS] and
// [SEP] too, as sentence-transformers has it. [tokens, hidden] -> [sequences, hidden]
Tensor pool(const Tensor& hidden, const Ragged& sequences, Pooling pooling);

// Runs f on batches of the sequences, the longest first; `rows` are the places in `sequences` of
// those in the batch. At least one sequence a batch, further ones while all together have at most
// batch_tokens tokens. An Error where a sequence does not suit the model.
void for_each_batch(
    const BertConfig& config, const std::vector<Sequence>& sequences, int64_t batch_tokens,
    const std::function<void(const BertInput& batch, const std::vector<size_t>& rows)>& f);

struct EmbeddingOptions {
  Pooling pooling = Pooling::mean;
  bool normalize = false;
  int64_t batch_tokens = 4096;
};

// f32 [sequences, hidden] in their order. Records nothing.
Tensor embed(const BertModel& model, const std::vector<Sequence>& sequences,
             const EmbeddingOptions& options);

}  // namespace gradus
