#include "gradus/models/fill_mask.h"

#include <algorithm>
#include <numeric>

namespace gradus {

std::vector<MaskAnswers> fill_mask(const BertForMaskedLM& model, const Tokenizer& tokenizer,
                                   const std::string& text, int top_k) {
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  vocabulary.require_special();
  std::vector<int32_t> ids{vocabulary.cls()}, rows;
  tokenizer.append_ids(text, ids);
  ids.push_back(vocabulary.sep());
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] == vocabulary.mask()) rows.push_back(static_cast<int32_t>(i));
  check(!rows.empty(), "the text '{}' has no [MASK] to fill", text);
  const NoGrad scope;
  const BertInput input(model.bert.config, {ids, {}, {static_cast<int64_t>(ids.size())}});
  const std::vector<double> p = softmax(model.masked_logits(input, rows)).to_vector<double>();
  const int64_t n = model.bert.config.vocab_size;
  std::vector<MaskAnswers> answers;
  for (size_t r = 0; r < rows.size(); ++r) {
    const double* row = p.data() + r * static_cast<size_t>(n);
    std::vector<int32_t> order(static_cast<size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    const auto count = static_cast<std::ptrdiff_t>(std::min<int64_t>(top_k, n));
    std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int32_t a, int32_t b) {
      return row[a] != row[b] ? row[a] > row[b] : a < b;
    });
    MaskAnswers best;
    for (std::ptrdiff_t i = 0; i < count; ++i)
      best.push_back(
          {vocabulary.token(order[static_cast<size_t>(i)]), row[order[static_cast<size_t>(i)]]});
    answers.push_back(std::move(best));
  }
  return answers;
}

}  // namespace gradus
