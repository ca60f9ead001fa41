// What a corpus says of its words before any training: a vector each, whose inner products are the
// pointwise mutual information of the pairs as well as `width` numbers can have them (Levy and
// Goldberg 2014, "Neural word embedding as implicit matrix factorization": what word2vec learns),
// and how often each stands there.
//
// The vectors are E = Q U L^(1/2) R: the leading eigenvectors Q U of the positive PMI matrix
// (data/cooccurrence.h), the roots of their eigenvalues L, and a random rotation R, so that each
// part of the features knows as much as another. The eigenvectors are found by randomised subspace
// iteration (Halko, Martinsson and Tropp 2011, algorithm 4.4). The same bits from the same seed, on
// any number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/data/cooccurrence.h"

namespace gradus {

struct WordVectors {
  int64_t width = 0;
  std::vector<float> vectors;        // [vocabulary, width], root mean square 1 over the words seen
  std::vector<float> log_frequency;  // [vocabulary]: log((count + 1) / (tokens + vocabulary))
};

// log((count + 1) / (tokens + vocabulary)) of each token of the text that is trained on.
std::vector<float> log_frequencies(const CorpusFile& corpus);

// Words that the corpus never has, or never in company that says anything, get small noise.
WordVectors word_vectors(const PositivePmi& pmi, int64_t width, uint64_t seed);

}  // namespace gradus
