// What a model that tags words reads: sentences as word pieces, long ones in windows, so that no
// word is lost; and its answers a word again.
//
// Each word belongs to one window, that which sees more around it; in the others it is context. Its
// first piece carries its label.
#pragma once

#include "gradus/tasks/tagging/conll.h"

namespace gradus {

constexpr int32_t no_label = -100;  // positions that are not learned, PyTorch's ignore_index

struct TagWindow {
  size_t sentence = 0;
  int32_t begin = 0, end = 0;          // the words it shows
  int32_t own_begin = 0, own_end = 0;  // the words that belong to it
};

struct TagInput {  // [CLS] pieces [SEP]: parallel arrays
  std::vector<int32_t> ids;
  // no_label for context words, [CLS] and [SEP], and for further pieces unless label_all_pieces
  std::vector<int32_t> labels;
};

struct TagOptions {
  int64_t max_seq_length = 128;
  // tokens that a window of a long sentence repeats of the one before, at most
  int64_t overlap = 32;
  // further pieces carry the label too, B- as I- (Hugging Face's label_all_tokens)
  bool label_all_pieces = false;
};

class TagFeatures {
 public:
  // `labels` from tag_ids(); empty where there are none. Keeps references to none.
  TagFeatures(const TaggedSet& set, const std::vector<std::vector<int32_t>>& labels,
              const LabelTable& table, const Tokenizer& tokenizer, const TagOptions& options);

  // in the order of the sentences
  const std::vector<TagWindow>& windows() const { return windows_; }
  TagInput input(const TagWindow& window) const;

  // The label of each word of each sentence, from those of each token of each window's input;
  // `outside` for words without a token.
  std::vector<std::vector<int32_t>> word_labels(
      const std::vector<std::vector<int32_t>>& token_labels, int32_t outside) const;

  struct Counts {
    int64_t long_sentences = 0;  // of more than one window
    int64_t lost_words = 0;      // without a token (a lone U+200B)
    int64_t cut_words = 0;       // of more pieces than fit into a window: the first ones are kept
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Sentence {
    std::vector<int32_t> ids;
    // of each word, and behind the last: where in ids its pieces begin
    std::vector<int32_t> first;
    std::vector<int32_t> labels;  // of each word
  };
  void add_sentence(const std::vector<std::string>& words, const Tokenizer& tokenizer,
                    int32_t room);
  void add_windows(size_t number, int32_t room, int32_t overlap);

  std::vector<Sentence> sentences_;
  std::vector<TagWindow> windows_;
  std::vector<int32_t> continued_;  // the label of the further pieces of a word with each label
  int32_t cls_ = 0, sep_ = 0;
  Counts counts_;
};

}  // namespace gradus
