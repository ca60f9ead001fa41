// What a corpus file holds, in numbers.
#pragma once

#include "gradus/data/corpus_file.h"

namespace gradus {

struct SplitStatistics {
  int64_t documents = 0, sentences = 0, tokens = 0, unknown = 0;  // unknown: [UNK]
};
struct CorpusStatistics {
  SplitStatistics train, validation;
  // Nat a token: the held-out tokens under the training tokens' unigram distribution, add-one
  // smoothed. What a masked language model must beat. NaN without held-out documents.
  double unigram_cross_entropy;
  double unigram_entropy;  // nat a token: the training tokens under their own distribution
};
CorpusStatistics statistics(const CorpusFile& corpus);

}  // namespace gradus
