#include "gradus/data/corpus_statistics.h"

#include <cmath>
#include <limits>

namespace gradus {

CorpusStatistics statistics(const CorpusFile& corpus) {
  const auto vocabulary_size = static_cast<size_t>(corpus.vocabulary().size());
  const auto count = [&](Split split, std::vector<int64_t>& counts) {
    SplitStatistics sum;
    for (const int64_t d : corpus.documents(split)) {
      const int64_t first = corpus.first_sentence(d), last = corpus.first_sentence(d + 1);
      const TokenSpan ids = corpus.tokens_of(d);
      ++sum.documents;
      sum.sentences += last - first;
      sum.tokens += ids.size();
      for (int64_t i = 0; i < ids.size(); ++i) ++counts[static_cast<size_t>(ids[i])];
    }
    sum.unknown = counts[static_cast<size_t>(corpus.vocabulary().unk())];
    return sum;
  };
  std::vector<int64_t> train(vocabulary_size), held_out(vocabulary_size);
  CorpusStatistics result{count(Split::train, train), count(Split::validation, held_out),
                          std::numeric_limits<double>::quiet_NaN(), 0};
  for (const int64_t n : train)
    if (n) {
      const double share = static_cast<double>(n) / static_cast<double>(result.train.tokens);
      result.unigram_entropy -= share * std::log(share);
    }
  if (!result.validation.tokens) return result;
  const double denominator =
      static_cast<double>(result.train.tokens) + static_cast<double>(vocabulary_size);
  double sum = 0;
  for (size_t id = 0; id < vocabulary_size; ++id)
    if (held_out[id])
      sum -= static_cast<double>(held_out[id]) *
             std::log(static_cast<double>(train[id] + 1) / denominator);
  result.unigram_cross_entropy = sum / static_cast<double>(result.validation.tokens);
  return result;
}

CorpusShape shape(const CorpusFile& corpus, Split split) {
  CorpusShape shape;
  shape.token_counts.resize(static_cast<size_t>(corpus.vocabulary().size()));
  shape.tokens_of_file.resize(corpus.info().files.size());
  const auto count = [](std::vector<int64_t>& histogram, int64_t length) {
    const auto place = static_cast<size_t>(2 * std::log2(static_cast<double>(length)));
    if (place >= histogram.size()) histogram.resize(place + 1);
    ++histogram[place];
  };
  for (const int64_t d : corpus.documents(split)) {
    const int64_t first = corpus.first_sentence(d), last = corpus.first_sentence(d + 1);
    for (int64_t s = first; s < last; ++s) {
      const TokenSpan ids = corpus.sentence(s);
      count(shape.sentences_of, ids.size());
      for (int64_t i = 0; i < ids.size(); ++i) ++shape.token_counts[static_cast<size_t>(ids[i])];
    }
    const int64_t tokens = corpus.tokens_of(d).size();
    count(shape.documents_of, tokens);
    shape.tokens_of_file[corpus.document(d).file] += tokens;
  }
  return shape;
}

}  // namespace gradus
