// The options of qa.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace gradus {

// What options.doc_stride counts: by how many tokens neighbouring windows overlap (Hugging Face),
// or how far the next begins behind the last (Google's run_squad.py). The same number, other
// windows.
enum class StrideMeaning { overlap, step };
constexpr std::array<const char*, 2> stride_meaning_words{"overlap", "step"};

struct QuestionTaskOptions {
  StrideMeaning stride_meaning = StrideMeaning::overlap;
  int64_t max_query_length = 64;   // tokens of the question that are kept, from its start
  int64_t max_answer_length = 30;  // tokens
  int64_t n_best_size = 20;
  // SQuAD 2.0; on by itself where a file has unanswerable questions
  bool version_2_with_negative = false;
  // given; otherwise the best for the file that is evaluated
  std::optional<double> null_score_diff_threshold = {};
};

}  // namespace gradus
