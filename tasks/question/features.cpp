#include "gradus/tasks/question/features.h"

#include <algorithm>

#include "gradus/base/error.h"

namespace gradus {
namespace {

constexpr std::pair<int32_t, int32_t> no_tokens{-1, -1};

double context_around(const QaWindow& window, int32_t token) {
  return std::min(token - window.begin, window.end - 1 - token) +
         0.01 * (window.end - window.begin);
}

}  // namespace

QaFeatures::QaFeatures(const QaSet& set, const Tokenizer& tokenizer, const QaWindowOptions& options,
                       QaUse use)
    : cls_(tokenizer.vocabulary().cls()), sep_(tokenizer.vocabulary().sep()) {
  tokenizer.vocabulary().require_special();
  check(options.doc_stride >= (options.stride == StrideMeaning::step),
        "options.doc_stride {}: windows that step by it stand still", options.doc_stride);
  check(options.max_query_length >= 1, "options.max_query_length {}: it must be at least 1",
        options.max_query_length);
  for (const auto& context : set.contexts) {
    contexts_.push_back(tokenizer.encode(context));
    counts_.empty_contexts += contexts_.back().ids.empty();
  }
  for (size_t i = 0; i < set.questions.size(); ++i) {
    const QaQuestion& question = set.questions[i];
    first_window_.push_back(windows_.size());
    question_context_.push_back(question.context);
    Encoding& encoding = questions_.emplace_back(tokenizer.encode(question.question));
    if (const auto limit = static_cast<size_t>(options.max_query_length);
        encoding.ids.size() > limit) {
      encoding.ids.resize(limit);
      encoding.offsets.resize(limit);
      encoding.words.resize(limit);
      ++counts_.cut_questions;
    }
    const auto answer = answer_tokens(question, set.contexts[question.context]);
    if (use == QaUse::training && answer == no_tokens && !question.answers.empty()) continue;
    add_windows(question, i, answer, options);
  }
  first_window_.push_back(windows_.size());
}

// The first and last token of the context that the question's first answer touches.
std::pair<int32_t, int32_t> QaFeatures::answer_tokens(const QaQuestion& question,
                                                      const std::string& context) {
  if (question.answers.empty()) return no_tokens;
  const AnswerSpan span = locate_answer(context, question.answers[0]);
  const auto& offsets = contexts_[question.context].offsets;
  const auto first = std::find_if(offsets.begin(), offsets.end(),
                                  [&](const auto& offset) { return offset.second > span.begin; });
  const auto behind = std::find_if(first, offsets.end(),
                                   [&](const auto& offset) { return offset.first >= span.end; });
  if (span.begin < 0 || first == behind) {
    if (counts_.unfound++ == 0) counts_.first_unfound = question.id;
    return no_tokens;
  }
  counts_.moved += !span.exact;
  return {static_cast<int32_t>(first - offsets.begin()),
          static_cast<int32_t>(behind - offsets.begin()) - 1};
}

void QaFeatures::add_windows(const QaQuestion& question, size_t number,
                             std::pair<int32_t, int32_t> answer, const QaWindowOptions& options) {
  const auto asked = static_cast<int64_t>(questions_[number].ids.size()),
             tokens = static_cast<int64_t>(contexts_[question.context].ids.size());
  const int64_t room = options.max_seq_length - asked - 3;  // [CLS] [SEP] [SEP]
  check(room >= 1,
        "question '{}' has {} tokens: with options.max_seq_length {} none is left for the context",
        question.id, asked, options.max_seq_length);
  const int64_t step = options.stride == StrideMeaning::step ? std::min(room, options.doc_stride)
                                                             : room - options.doc_stride;
  check(step >= 1 || tokens <= room,
        "question '{}': windows of {} tokens cannot overlap by {}; make options.doc_stride less or "
        "options.max_seq_length more",
        question.id, room, options.doc_stride);
  for (int64_t begin = 0;; begin += step) {
    const int64_t end = std::min(begin + room, tokens);
    QaWindow window{number, static_cast<int32_t>(begin), static_cast<int32_t>(end), 0, 0};
    if (answer != no_tokens && answer.first >= begin && answer.second < end) {
      window.start = answer.first - window.begin + context_position(window);
      window.stop = answer.second - window.begin + context_position(window);
    }
    windows_.push_back(window);
    if (end == tokens) return;
  }
}

int32_t QaFeatures::context_position(const QaWindow& window) const {
  return static_cast<int32_t>(questions_[window.question].ids.size()) + 2;
}

Sequence QaFeatures::sequence(const QaWindow& window) const {
  Sequence sequence;
  const auto add = [&](int32_t id, int32_t type, bool special, std::pair<int32_t, int32_t> offset) {
    sequence.ids.push_back(id);
    sequence.types.push_back(type);
    sequence.special.push_back(special);
    sequence.offsets.push_back(offset);
  };
  const Encoding &question = questions_[window.question], &text = context(window);
  add(cls_, 0, true, {0, 0});
  for (size_t i = 0; i < question.ids.size(); ++i)
    add(question.ids[i], 0, false, question.offsets[i]);
  add(sep_, 0, true, {0, 0});
  for (auto i = static_cast<size_t>(window.begin); i < static_cast<size_t>(window.end); ++i)
    add(text.ids[i], 1, false, text.offsets[i]);
  add(sep_, 1, true, {0, 0});
  return sequence;
}

bool QaFeatures::is_max_context(size_t window, int32_t token) const {
  const auto [first, last] = windows_of(windows_[window].question);
  size_t best = window;
  for (size_t i = first; i < last; ++i) {
    if (token < windows_[i].begin || token >= windows_[i].end) continue;
    const double here = context_around(windows_[i], token),
                 there = context_around(windows_[best], token);
    if (here > there || (here == there && i < best)) best = i;
  }
  return best == window;
}

}  // namespace gradus
