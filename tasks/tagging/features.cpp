#include "gradus/tasks/tagging/features.h"

#include <algorithm>

#include "gradus/base/error.h"

namespace gradus {

TagFeatures::TagFeatures(const TaggedSet& set, const std::vector<std::vector<int32_t>>& labels,
                         const LabelTable& table, const Tokenizer& tokenizer,
                         const TagOptions& options)
    : cls_(tokenizer.vocabulary().cls()), sep_(tokenizer.vocabulary().sep()) {
  tokenizer.vocabulary().require_special();
  check(options.max_seq_length >= 3, "options.max_seq_length {}: [CLS], a word and [SEP] need 3",
        options.max_seq_length);
  check(options.overlap >= 0, "the overlap of windows, {}, must not be negative", options.overlap);
  check(labels.empty() || labels.size() == set.sentences.size(),
        "there are {} sentences and labels of {}", set.sentences.size(), labels.size());
  for (const std::string& name : table.names()) {
    const int32_t inside = name.rfind("B-", 0) == 0 ? table.find("I-" + name.substr(2)) : -1;
    if (!options.label_all_pieces) continued_.push_back(no_label);
    else continued_.push_back(inside >= 0 ? inside : table.find(name));
  }
  const auto room = static_cast<int32_t>(options.max_seq_length - 2);
  for (size_t i = 0; i < set.sentences.size(); ++i) {
    add_sentence(set.sentences[i].words, tokenizer, room);
    const size_t words = set.sentences[i].words.size();
    sentences_[i].labels = labels.empty() ? std::vector<int32_t>(words, no_label) : labels[i];
    check(sentences_[i].labels.size() == words, "sentence {} has {} words and {} labels", i, words,
          sentences_[i].labels.size());
    add_windows(i, room, static_cast<int32_t>(options.overlap));
  }
}

void TagFeatures::add_sentence(const std::vector<std::string>& words, const Tokenizer& tokenizer,
                               int32_t room) {
  const Encoding encoding = tokenizer.encode_words(words);
  Sentence& sentence = sentences_.emplace_back();
  size_t at = 0;
  for (size_t word = 0; word < words.size(); ++word) {
    sentence.first.push_back(static_cast<int32_t>(sentence.ids.size()));
    const size_t begin = at;
    while (at < encoding.ids.size() && encoding.words[at] == static_cast<int32_t>(word)) ++at;
    const size_t kept = std::min(at - begin, static_cast<size_t>(room));
    counts_.lost_words += kept == 0;
    counts_.cut_words += kept < at - begin;
    const auto from = encoding.ids.begin() + static_cast<std::ptrdiff_t>(begin);
    sentence.ids.insert(sentence.ids.end(), from, from + static_cast<std::ptrdiff_t>(kept));
  }
  sentence.first.push_back(static_cast<int32_t>(sentence.ids.size()));
}

void TagFeatures::add_windows(size_t number, int32_t room, int32_t overlap) {
  const auto& first = sentences_[number].first;
  const auto words = static_cast<int32_t>(first.size()) - 1;
  const auto tokens = [&](int32_t begin, int32_t end) {
    return first[static_cast<size_t>(end)] - first[static_cast<size_t>(begin)];
  };
  TagWindow window{number, 0, 0, 0, 0};
  for (;;) {
    while (window.end < words && tokens(window.begin, window.end + 1) <= room) ++window.end;
    window.own_end = window.end;
    if (window.end == words) break;
    // The next window repeats up to `overlap` tokens, as long as it has room for a new word too;
    // the repeated words are shared between the two.
    int32_t next = window.end;
    while (next > window.begin + 1 && tokens(next - 1, window.end) <= overlap &&
           tokens(next - 1, window.end + 1) <= room)
      --next;
    window.own_end = next + (window.end - next) / 2;
    windows_.push_back(window);
    window = {number, next, window.end, window.own_end, 0};
  }
  windows_.push_back(window);
  counts_.long_sentences += window.begin > 0;
}

TagInput TagFeatures::input(const TagWindow& window) const {
  const Sentence& sentence = sentences_[window.sentence];
  TagInput input{{cls_}, {no_label}};
  for (int32_t word = window.begin; word < window.end; ++word) {
    const auto w = static_cast<size_t>(word);
    const int32_t label =
        word >= window.own_begin && word < window.own_end ? sentence.labels[w] : no_label;
    for (int32_t piece = sentence.first[w]; piece < sentence.first[w + 1]; ++piece) {
      input.ids.push_back(sentence.ids[static_cast<size_t>(piece)]);
      input.labels.push_back(piece == sentence.first[w] || label < 0
                                 ? label
                                 : continued_.at(static_cast<size_t>(label)));
    }
  }
  input.ids.push_back(sep_);
  input.labels.push_back(no_label);
  return input;
}

std::vector<std::vector<int32_t>> TagFeatures::word_labels(
    const std::vector<std::vector<int32_t>>& token_labels, int32_t outside) const {
  check(token_labels.size() == windows_.size(), "there are {} windows and labels of {}",
        windows_.size(), token_labels.size());
  std::vector<std::vector<int32_t>> labels;
  for (const auto& sentence : sentences_) labels.emplace_back(sentence.labels.size(), outside);
  for (size_t i = 0; i < windows_.size(); ++i) {
    const TagWindow& window = windows_[i];
    const auto& first = sentences_[window.sentence].first;
    const int32_t shift = 1 - first[static_cast<size_t>(window.begin)];  // behind [CLS]
    for (auto word = static_cast<size_t>(window.own_begin);
         word < static_cast<size_t>(window.own_end); ++word)
      if (first[word] < first[word + 1])
        labels[window.sentence][word] =
            token_labels[i].at(static_cast<size_t>(first[word] + shift));
  }
  return labels;
}

}  // namespace gradus
