#include "gradus/train/advice.h"

#include "gradus/base/error.h"

namespace gradus {
namespace {

constexpr double many_unknown = 0.01;    // of the tokens
constexpr double many_duplicates = 0.1;  // of the lines
constexpr int64_t judged_at = 200;       // whether it has left the word frequencies behind
constexpr double still_unigram = 0.4;    // nat below the unigram model's loss: hardly below it
constexpr double clearly_above = 0.5;    // nat: a loss that rises

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

}  // namespace

std::string corpus_advice(const CorpusStatistics& numbers, const CorpusInfo& info) {
  std::string text;
  const SplitStatistics& train = numbers.train;
  const double unknown = static_cast<double>(train.unknown) / static_cast<double>(train.tokens);
  if (unknown > many_unknown)
    text += fmt::format(
        "the vocabulary does not fit: {} of the tokens are [UNK], which teaches nothing; make one "
        "from this text (`gradus vocab`), with a larger alphabet where letters are "
        "missing\n",
        percent(unknown));
  const double twice =
      info.lines ? static_cast<double>(info.duplicate_lines) / static_cast<double>(info.lines) : 0;
  if (twice > many_duplicates)
    text += fmt::format("{} of the lines were there before: the model will learn them by heart\n",
                        percent(twice));
  return text;
}

std::optional<std::string> LossAdvice::at(int64_t step, double loss) {
  sum_ += loss;
  if (++count_ < window) return {};
  const double mean = sum_ / static_cast<double>(count_);
  sum_ = 0;
  count_ = 0;
  if (step >= judged_at && step < judged_at + window)
    if (auto text = stuck(mean)) return text;
  return rising(step, mean);
}

std::optional<std::string> LossAdvice::stuck(double mean) const {
  if (mean < run_.unigram - still_unigram) return {};
  std::string advice;
  if (run_.initialization != "counts")
    advice += fmt::format("initialization counts (this run began with {}), ", run_.initialization);
  if (run_.learning_rate < 1e-3)
    advice += fmt::format("a rate of 1e-3 to 3e-3 for a small model (this run's is {}), ",
                          run_.learning_rate);
  return fmt::format(
      "the loss, {:.2f}, is hardly below that of a model which knows only how often each word "
      "stands ({:.2f}). Try {}or wait: docs/pretraining.md",
      mean, run_.unigram, advice);
}

std::optional<std::string> LossAdvice::rising(int64_t step, double mean) {
  if (best_ == 0 || mean < best_) {
    best_ = mean;
    best_step_ = step;
    return {};
  }
  if (told_ || mean < best_ + clearly_above) return {};
  told_ = true;
  return fmt::format(
      "the loss rises: {:.2f} about step {}, {:.2f} now. The rate, {}, is likely too high; try a "
      "third of it, or a longer warm-up",
      best_, best_step_, mean, run_.learning_rate);
}

}  // namespace gradus
