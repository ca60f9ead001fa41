// The options of classify, regress and multilabel.
#pragma once

#include <array>
#include <string>

namespace gradus {

// What is read of a text that is longer than the model may read (Sun et al. 2019, section 4.3.2,
// compare the first three):
//   head        its beginning
//   tail        its end
//   head_tail   a quarter from the beginning, the rest from the end
//   windows     all of it, in windows that share options.doc_stride tokens; logits are averaged
//               over them
// Of pairs, head shortens the longer text as BERT does, windows run over the second; the others are
// for single texts.
enum class LongTexts { head, tail, head_tail, windows };
constexpr std::array<const char*, 4> long_texts_words{"head", "tail", "head-tail", "windows"};
inline const char* word_of(LongTexts how) { return long_texts_words[static_cast<size_t>(how)]; }

struct TextTaskOptions {
  std::string glue = {};  // a GLUE task, which says columns, labels and metrics
  // The names of the columns; empty: by convention (tasks/text/text.h).
  std::string text_column = {};
  std::string pair_column = {};
  std::string label_column = {};
  std::string label_separator = {};  // multilabel: of many labels in a cell
  LongTexts long_texts = LongTexts::head;
  double label_smoothing = 0, focal_gamma = 0;  // classify: see CrossEntropyOptions
};

}  // namespace gradus
