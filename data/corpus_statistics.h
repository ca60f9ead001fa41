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

// How its documents, sentences and words are made.
struct CorpusShape {
  std::vector<int64_t> token_counts;                // by id
  std::vector<int64_t> sentences_of, documents_of;  // by length in tokens: place b counts those of
                                                    // [2^(b/2), 2^((b+1)/2))
  std::vector<int64_t> tokens_of_file;              // by row of CorpusInfo::files
};
CorpusShape shape(const CorpusFile& corpus, Split split);

}  // namespace gradus
