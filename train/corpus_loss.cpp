#include "gradus/train/corpus_loss.h"

#include <cmath>
#include <numbers>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/base/range.h"

namespace gradus {
namespace {

constexpr size_t sequences_at_once = 64;

// Words with their tokens, as they stand in the text.
struct Word {
  std::vector<int32_t> ids;
  int64_t characters;
  bool hidden;
};

class Measurement {
 public:
  Measurement(const BertForMaskedLM& model, const Tokenizer& tokenizer, const CorpusLossOptions& o,
              int64_t max_length)
      : model_(model), tokenizer_(tokenizer), o_(o), max_length_(max_length) {}

  void add(const std::string& paragraph) {
    const Encoding text = tokenizer_.encode(paragraph);
    for (size_t i = 0; i < text.ids.size();) {
      Word word{{}, 0, false};
      const size_t begin = i;
      for (; i < text.ids.size() && text.words[i] == text.words[begin]; ++i)
        word.ids.push_back(text.ids[i]);
      const int64_t at = text.offsets[begin].first;
      word.characters = text.offsets[i - 1].second - at;
      // by the place in the text: the same for every tokenizer
      word.hidden = Random(o_.seed + paragraphs_ * 0x9E3779B97F4A7C15ull, static_cast<uint64_t>(at))
                        .uniform() < o_.masked_share;
      add(std::move(word));
    }
    ++paragraphs_;
  }
  void end_document() { end_sequence(); }
  bool is_enough() const { return o_.max_words > 0 && result_.words >= o_.max_words; }

  CorpusLoss finish() {
    end_sequence();
    flush();
    check(result_.words > 0, "there are no words to hide in the text{}",
          result_.unknown ? ": all are [UNK] to this model" : "");
    CorpusLoss result = result_;
    result.bits_per_character = loss_ / std::numbers::ln2 / static_cast<double>(result.characters);
    result.loss = loss_ / static_cast<double>(result.tokens);
    result.accuracy = static_cast<double>(correct_) / static_cast<double>(result.tokens);
    return result;
  }

 private:
  void add(Word word) {
    const Vocabulary& vocabulary = tokenizer_.vocabulary();
    if (std::ssize(word.ids) > max_length_ - 2) return;
    if (std::ssize(ids_) + std::ssize(word.ids) > max_length_ - 1) end_sequence();
    if (ids_.empty()) ids_.push_back(vocabulary.cls());
    if (word.hidden && word.ids[0] == vocabulary.unk()) {
      ++result_.unknown;
      word.hidden = false;
    }
    if (word.hidden) {
      ++result_.words;
      result_.characters += word.characters;
    }
    for (const int32_t id : word.ids) {
      if (word.hidden) {
        rows_.push_back(static_cast<int32_t>(batch_.size()) + static_cast<int32_t>(ids_.size()));
        labels_.push_back(id);
      }
      ids_.push_back(word.hidden ? vocabulary.mask() : id);
    }
  }

  void end_sequence() {
    if (ids_.empty()) return;
    ids_.push_back(tokenizer_.vocabulary().sep());
    batch_.add(ids_);
    ids_.clear();
    if (batch_.lengths.size() == sequences_at_once) flush();
  }

  void flush() {
    if (!rows_.empty()) {
      const NoGrad no_grad;
      const detail::Switch<&Modes::training> not_training(false);
      const BertInput input(model_.bert.config, batch_);
      const DecoderLoss loss = model_.predictions.loss(
          model_.bert(input), model_.bert.embeddings.word_embeddings.weight, rows_, labels_, 1);
      loss_ += loss.loss.item();
      correct_ += loss.correct;
      result_.tokens += std::ssize(labels_);
    }
    batch_ = {};
    rows_.clear();
    labels_.clear();
  }

  const BertForMaskedLM& model_;
  const Tokenizer& tokenizer_;
  const CorpusLossOptions& o_;
  int64_t max_length_;
  uint64_t paragraphs_ = 0;
  TokenBatch batch_;
  std::vector<int32_t> ids_;  // of the sequence that is being filled
  std::vector<int32_t> rows_, labels_;
  double loss_ = 0;
  int64_t correct_ = 0;
  CorpusLoss result_;
};

}  // namespace

CorpusLoss corpus_loss(const BertForMaskedLM& model, const Tokenizer& tokenizer,
                       const CorpusLossOptions& o) {
  tokenizer.vocabulary().require_special();
  const int64_t positions = model.bert.config.max_position_embeddings;
  const int64_t length =
      o.max_seq_length == 0 ? std::min<int64_t>(128, positions) : o.max_seq_length;
  check(length >= 3 && length <= positions,
        "options.max_seq_length {}: from 3 to the model's {} positions", length, positions);
  check_range("the share of hidden words,", o.masked_share, {.above = 0, .below = 1});
  const auto files = text_files(o.corpus, "options.corpus");
  const int64_t total = total_bytes(files);
  Measurement measurement(model, tokenizer, o, length);
  int64_t done = 0, told = 0;
  for (const auto& file : files) {
    TextFileReader reader(file, o.format);
    CuttingRules rules = o.cutting;
    if (!rules.documents)
      rules.documents = reader.json_lines() ? Documents::record : Documents::file;
    DocumentCutter cutter(rules, reader.json_lines());
    const auto take = [&](const std::string& paragraph) { measurement.add(paragraph); };
    const auto end_document = [&] { measurement.end_document(); };
    for (TextLine line; !measurement.is_enough() && reader.next(line);) {
      if (cutter.begins_document(line)) cutter.end(take, end_document);
      cutter.add(line, true, take, end_document);
      if (const int64_t now = done + reader.taken(); o.progress && now - told >= 1'000'000)
        o.progress(told = now, total);
    }
    if (!measurement.is_enough()) cutter.end(take, end_document);
    done += reader.taken();
  }
  return measurement.finish();
}

}  // namespace gradus
