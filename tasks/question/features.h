// What a question-answering model reads: [CLS] question [SEP] part of the context [SEP], as many
// windows over the context as it takes.
//
//   QaFeatures features(read_squad("train.json"), tokenizer, {.max_seq_length = 384},
//                       QaUse::training);
//   for (const QaWindow& window : features.windows())
//     use(features.sequence(window), window.start, window.stop);
//
// Contexts and questions are encoded once; a window is a range of tokens, its sequence is put
// together when asked for.
#pragma once

#include "gradus/tasks/question/options.h"
#include "gradus/tasks/question/squad.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

struct QaWindowOptions {
  int64_t max_seq_length = 384, doc_stride = 128;
  int64_t max_query_length = 64;  // tokens of the question that are kept, from its start
  StrideMeaning stride = StrideMeaning::overlap;
};

struct QaWindow {
  size_t question = 0;
  int32_t begin = 0, end = 0;  // tokens of the context
  // Positions in the sequence of the answer's first and last token; both 0, [CLS], where the window
  // does not hold all of it. (Hugging Face's run_qa.py has the same, except that it marks the [SEP]
  // as the start where the answer is the window's last token.)
  int32_t start = 0, stop = 0;
};

enum class QaUse {
  training,   // questions whose answer is not in the context are left out
  prediction  // every question has windows
};

class QaFeatures {
 public:
  // Keeps references to neither. Errors: a question and a max_seq_length that leave no token for
  // the context; a stride with which windows stand still.
  QaFeatures(const QaSet& set, const Tokenizer& tokenizer, const QaWindowOptions& options,
             QaUse use);

  // in the order of the questions
  const std::vector<QaWindow>& windows() const { return windows_; }
  std::pair<size_t, size_t> windows_of(size_t question) const {
    return {first_window_.at(question), first_window_.at(question + 1)};
  }
  // types and offsets as Tokenizer::sequence has them
  Sequence sequence(const QaWindow& window) const;
  // where in the sequence token window.begin stands
  int32_t context_position(const QaWindow& window) const;
  const Encoding& context(const QaWindow& window) const {
    return contexts_[question_context_[window.question]];
  }

  // Is this window the one that sees most around the context's token (the smaller side counts, then
  // 0.01 a token of the window; the first of equal ones)?
  bool is_max_context(size_t window, int32_t token) const;

  struct Counts {
    // questions whose answer is not in the context near its offset (training leaves them out)
    int64_t unfound = 0;
    int64_t moved = 0;           // whose answer was found near its offset
    int64_t cut_questions = 0;   // longer than max_query_length
    int64_t empty_contexts = 0;  // without a token
    std::string first_unfound;   // the id, for a warning
  };
  const Counts& counts() const { return counts_; }

 private:
  std::pair<int32_t, int32_t> answer_tokens(const QaQuestion& question, const std::string& context);
  void add_windows(const QaQuestion& question, size_t number, std::pair<int32_t, int32_t> answer,
                   const QaWindowOptions& options);

  std::vector<Encoding> contexts_, questions_;
  std::vector<size_t> question_context_, first_window_;
  std::vector<QaWindow> windows_;
  int32_t cls_ = 0, sep_ = 0;
  Counts counts_;
};

}  // namespace gradus
