// What a pretraining run is told about itself while there is time to do something about it, in
// words for people: what is wrong, by which numbers, and what to try.
#pragma once

#include <optional>
#include <string>

#include "gradus/data/corpus_statistics.h"

namespace gradus {

// Of the corpus, before the first step: words that the vocabulary does not know, lines that are
// there twice. A line each; "" where there is nothing to say.
std::string corpus_advice(const CorpusStatistics& numbers, const CorpusInfo& info);

// Of the losses of a run's steps.
class LossAdvice {
 public:
  struct Run {
    double unigram;  // the loss of a model that knows word frequencies alone, in nat
    std::string initialization;
    double learning_rate;
  };
  explicit LossAdvice(Run run) : run_(std::move(run)) {}

  // The masked-language-model loss of a step, counted from 1, each once and in order. Says, once
  // each: at step 200 that the loss is still that of word frequencies; that it rises.
  std::optional<std::string> at(int64_t step, double loss);

 private:
  static constexpr int64_t window = 50;  // steps of which means are compared
  std::optional<std::string> stuck(double mean) const;
  std::optional<std::string> rising(int64_t step, double mean);

  Run run_;
  double sum_ = 0;
  int64_t count_ = 0;
  double best_ = 0;  // mean of a window; 0: there was none
  int64_t best_step_ = 0;
  bool told_ = false;
};

}  // namespace gradus
