// Documents that are almost the same: as a page crawled twice, or a book in two editions.
//
// How alike two are is the Jaccard similarity of their sets of five tokens in a row. Which to
// compare is found by MinHash (Broder 1997): 64 minima of one hash (one permutation hashing, Li,
// Owen and Zhang 2012), in 21 bands of 3; two documents that agree in a band are compared exactly.
// Of similarity s they agree in one with probability of about 1 - (1 - s^3)^21: 0.9998 for 0.7.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "gradus/data/corpus_file.h"

namespace gradus {

// tokens(d) is document d; called from all threads. True for each document that is at least that
// similar (above 0, at most 1) to an earlier one. The same on any number of threads. In memory are
// a bit a document and what is compared; 336 bytes a document lie in `scratch`, a file that is left
// behind.
std::vector<bool> near_duplicates(int64_t documents,
                                  const std::function<TokenSpan(int64_t)>& tokens,
                                  double similarity, const std::filesystem::path& scratch);

}  // namespace gradus
