// SQuAD 1.1 and 2.0 (Rajpurkar et al. 2016, 2018): questions whose answers are spans of a context,
// and in 2.0 questions that have none.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gradus {

struct QaAnswer {
  std::string text;
  int64_t start = 0;  // in the context, in code points
};

struct QaQuestion {
  std::string id, question;
  size_t context = 0;       // index into QaSet::contexts
  bool impossible = false;  // 2.0: is_impossible, or an empty list of answers
  // none where impossible or not labelled; plausible_answers are not read
  std::vector<QaAnswer> answers;
};

struct QaSet {
  std::string file, version;  // version as the file says it: "1.1", "v2.0"; may be empty
  std::vector<std::string> contexts;
  std::vector<QaQuestion> questions;
  bool has_impossible() const;  // then it is scored and decoded as 2.0
};

// Valid JSON of another shape is an Error that names the file and the place in it
// (data[3].paragraphs[0].qas[1]), as are two questions with one id: predictions are kept by id.
// Answers are not compared with the context here, see locate_answer().
QaSet read_squad(const std::filesystem::path& path);

// Where an answer stands in its context: code points [begin, end); begin -1: nowhere near.
// exact: its text is at its offset. Otherwise it is looked for in the words (between white space)
// that the span at its offset touches, which is where Google's run_squad.py looks
// (read_squad_examples, then _improve_answer_span); an answer not found there is left out of
// training, as there.
struct AnswerSpan {
  int64_t begin = -1, end = -1;
  bool exact = false;
};
AnswerSpan locate_answer(const std::string& context, const QaAnswer& answer);

}  // namespace gradus
