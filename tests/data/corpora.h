// Small corpora for the tests of data/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gradus/base/random.h"
#include "gradus/data/corpus_writer.h"
#include "tests/support.h"

namespace gradus::testing {

// The five special tokens, then w0, w1 ...; every fifth is a continuation, "##w4".
inline Vocabulary numbered_vocabulary(int words) {
  std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (int i = 0; i < words; ++i) tokens.push_back((i % 5 == 4 ? "##w" : "w") + std::to_string(i));
  return Vocabulary(tokens);
}

// Documents of random sentences. Token t of the corpus has the id 5 + t % words: where `words` is
// at least the number of tokens, each is different, so that an instance tells which tokens of the
// corpus it was made of.
inline void write_numbered_corpus(const std::filesystem::path& path, int documents,
                                  int max_sentences, int max_length, int words, uint64_t seed = 1) {
  const Tokenizer tokenizer(numbered_vocabulary(words));
  CorpusWriter writer(path, tokenizer);
  Random random(seed);
  int32_t token = 0;
  for (int d = 0; d < documents; ++d) {
    for (int64_t s = random.between(1, max_sentences); s > 0; --s) {
      std::vector<int32_t> ids;
      for (int64_t i = random.between(1, max_length); i > 0; --i)
        ids.push_back(5 + token++ % words);
      writer.add_sentence(ids);
    }
    writer.end_document(0);
  }
  writer.finish({.files = {{"numbers", 0, 0}},
                 .lines = 0,
                 .duplicate_lines = 0,
                 .documents = "blank",
                 .sentences = "line",
                 .seed = seed});
}

// Words of two topics, each with its own company, drawn at random; some words are never seen.
inline void write_topics(const std::filesystem::path& path) {
  const Tokenizer tokenizer(numbered_vocabulary(48));
  CorpusWriter writer(path, tokenizer);
  Random random(7);
  for (int d = 0; d < 60; ++d) {
    const int64_t topic = d % 2;
    for (int s = 0; s < 6; ++s) {
      std::vector<int32_t> ids;
      for (int i = 0; i < 9; ++i)
        ids.push_back(static_cast<int32_t>(5 + 20 * topic + random.below(20)));
      writer.add_sentence(ids);
    }
    writer.end_document(0);
  }
  writer.documents().back().split = Split::validation;
  writer.finish({.files = {{"topics", 0, 0}},
                 .lines = 0,
                 .duplicate_lines = 0,
                 .documents = "blank",
                 .sentences = "line",
                 .seed = 1});
}

}  // namespace gradus::testing
