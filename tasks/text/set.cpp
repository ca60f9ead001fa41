#include <algorithm>
#include <numeric>

#include "gradus/base/json.h"
#include "gradus/tasks/text/task.h"

namespace gradus {

TextTaskSet::TextTaskSet(const TextTask& task, TextSet read)
    : set_(std::move(read)), table_(task.table), glue_(task.glue) {
  const LongTexts how = task.options.text.long_texts;
  const int64_t length = task.options.max_seq_length;
  check_long_texts(how, set_.pairs());
  texts_.reserve(set_.examples.size());
  int64_t cut = 0, empty = 0, empty_line = 0;
  for (const TextExample& example : set_.examples) {
    const Encoding first = task.tokenizer.encode(example.first),
                   second = set_.pairs() ? task.tokenizer.encode(example.second) : Encoding{};
    texts_.push_back(fit_text(task.tokenizer, first, set_.pairs() ? &second : nullptr, length, how,
                              task.options.doc_stride));
    cut += texts_.back().cut;
    if (first.ids.size() + second.ids.size() == 0 && empty++ == 0) empty_line = example.line;
  }
  if (cut)
    notes_ += fmt::format("{}: {} of {} texts are longer than {} tokens; of them the {} is read\n",
                          set_.file, cut, size(), length,
                          how == LongTexts::windows ? "whole, in windows," : word_of(how));
  if (set_.skipped)
    notes_ += fmt::format("{}: {} broken rows are left out\n", set_.file, set_.skipped);
  if (empty)
    notes_ += fmt::format("{}: {} texts have no token of their own, the first in line {}\n",
                          set_.file, empty, empty_line);
}

namespace {

// [sequences, labels] -> [texts, labels]: the mean of each text's `windows`. The matrix has
// 1 / windows where a window belongs to the text.
Tensor mean_of_windows(const Tensor& logits, const std::vector<size_t>& windows) {
  const auto texts = static_cast<int64_t>(windows.size()), sequences = logits.shape()[0];
  if (sequences == texts) return logits;
  std::vector<double> shares(windows.size() * static_cast<size_t>(sequences));
  size_t column = 0;
  for (size_t t = 0; t < windows.size(); ++t)
    for (size_t w = 0; w < windows[t]; ++w)
      shares[t * static_cast<size_t>(sequences) + column++] = 1.0 / static_cast<double>(windows[t]);
  return matmul(cast(from_vector(shares, {texts, sequences}), logits.dtype()), logits);
}

}  // namespace

Targets TextTaskSet::targets_of(std::span<const int64_t> units, std::vector<double> weights,
                                TextLoss loss) const {
  std::vector<size_t> windows;
  for (const int64_t unit : units)
    windows.push_back(texts_[static_cast<size_t>(unit)].sequences.size());
  return {std::move(weights), [windows, loss = std::move(loss)](const Tensor& logits, const Ragged&,
                                                                double denominator) {
            return loss(mean_of_windows(logits, windows), denominator);
          }};
}

UnitLogits TextTaskSet::mean(const UnitLogits& logits) const {
  const size_t columns = static_cast<size_t>(std::max(table_.size(), 1)),
               windows = logits.size() / columns;
  UnitLogits result(columns);
  for (size_t i = 0; i < logits.size(); ++i)
    result[i % columns] += logits[i] / static_cast<float>(windows);
  return result;
}

std::string TextTaskSet::worst(const std::vector<double>& losses,
                               const std::function<std::string(size_t)>& answer) const {
  std::vector<size_t> order(losses.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto count = std::min<size_t>(5, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](size_t a, size_t b) { return losses[a] > losses[b]; });
  std::string text = "the worst mistakes\n";
  for (size_t i = 0; i < count; ++i) {
    const TextExample& example = set_.examples[order[i]];
    text += fmt::format("  line {:<6} {:<48} {}{}{}\n", example.line, answer(order[i]),
                        excerpt(example.first), set_.pairs() ? " | " : "", excerpt(example.second));
  }
  return text;
}

void TextTaskSet::write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                                    int64_t first) const {
  for (size_t u = 0; u < logits.size(); ++u) {
    nlohmann::ordered_json line{{"index", first + static_cast<int64_t>(u)}};
    line.update(answer(mean(logits[u])));
    jsonl << line.dump() << "\n";
  }
}

nlohmann::ordered_json named(const std::vector<double>& probabilities, const LabelTable& table) {
  nlohmann::ordered_json::object_t json;
  for (size_t c = 0; c < probabilities.size(); ++c)
    add_member(json, table.name(static_cast<int32_t>(c)), probabilities[c]);
  return json;
}

}  // namespace gradus
