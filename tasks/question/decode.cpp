#include "gradus/tasks/question/decode.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "gradus/base/error.h"
#include "gradus/base/json.h"
#include "gradus/text/code_points.h"

namespace gradus {
namespace {

double score(const QaCandidate& candidate) { return candidate.start_logit + candidate.end_logit; }

// Positions of the `count` largest, largest first; of equal ones the first.
std::vector<int32_t> best_positions(const std::vector<float>& logits, int64_t count) {
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = std::min(order.size(), static_cast<size_t>(count));
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    [&](int32_t a, int32_t b) {
                      const float x = logits[static_cast<size_t>(a)],
                                  y = logits[static_cast<size_t>(b)];
                      return x > y || (x == y && a < b);
                    });
  order.resize(kept);
  return order;
}

void add_spans(const QaFeatures& features, size_t number, const QaLogits& logits,
               const QaDecodeOptions& options, std::vector<QaCandidate>& candidates) {
  const QaWindow& window = features.windows()[number];
  const auto& offsets = features.context(window).offsets;
  // from a position to a token of the context
  const int32_t shift = window.begin - features.context_position(window);
  const std::vector<int32_t> starts = best_positions(logits.start, options.n_best_size),
                             ends = best_positions(logits.end, options.n_best_size);
  for (const int32_t start : starts)
    for (const int32_t end : ends) {
      const int32_t first = start + shift, last = end + shift;
      if (first < window.begin || last >= window.end || last < first ||
          last - first + 1 > options.max_answer_length)
        continue;
      if (options.max_context && !features.is_max_context(number, first)) continue;
      candidates.push_back(
          {"", offsets[static_cast<size_t>(first)].first, offsets[static_cast<size_t>(last)].second,
           logits.start[static_cast<size_t>(start)], logits.end[static_cast<size_t>(end)], 0});
    }
}

void set_probabilities(std::vector<QaCandidate>& candidates) {
  double most = score(candidates[0]), sum = 0;
  for (const auto& candidate : candidates) most = std::max(most, score(candidate));
  for (auto& candidate : candidates)
    sum += candidate.probability = std::exp(score(candidate) - most);
  for (auto& candidate : candidates) candidate.probability /= sum;
}

// {id: value(prediction)} in the order given; no two have one id.
template <class Value>
nlohmann::ordered_json object_of(const std::vector<QaPrediction>& predictions, Value&& value) {
  nlohmann::ordered_json::object_t object;
  for (const auto& prediction : predictions) add_member(object, prediction.id, value(prediction));
  return object;
}

}  // namespace

QaPrediction decode_answer(const QaFeatures& features, const QaSet& set, size_t question,
                           std::span<const QaLogits> logits, const QaDecodeOptions& options) {
  const auto [first, last] = features.windows_of(question);
  check(logits.size() == last - first && !logits.empty(),
        "question '{}' has {} windows, and logits of {} are given", set.questions[question].id,
        last - first, logits.size());
  std::vector<QaCandidate> candidates;
  QaCandidate none{"", 0, 0, 0, 0, 0};
  for (size_t i = first; i < last; ++i) {
    const QaLogits& own = logits[i - first];
    const QaWindow& window = features.windows()[i];
    const auto length =
        static_cast<size_t>(features.context_position(window) + window.end - window.begin + 1);
    check(own.start.size() == length && own.end.size() == length,
          "question '{}': a window has {} tokens, its logits {} and {}", set.questions[question].id,
          length, own.start.size(), own.end.size());
    add_spans(features, i, own, options, candidates);
    const QaCandidate here{"", 0, 0, own.start[0], own.end[0], 0};
    // the window that is least sure that there is no answer
    if (i == first || score(here) < score(none)) none = here;
  }
  if (options.may_be_unanswerable) candidates.push_back(none);
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return score(a) > score(b); });

  QaPrediction prediction{set.questions[question].id, {}, 0, 0};
  const CodePoints context(set.contexts[set.questions[question].context]);
  std::set<std::string> seen;
  bool none_kept = false;
  for (auto& candidate : candidates) {
    if (static_cast<int64_t>(prediction.n_best.size()) >= options.n_best_size) break;
    candidate.text = context.slice(candidate.begin, candidate.end);
    if (options.distinct_texts && !seen.insert(candidate.text).second) continue;
    none_kept |= candidate.text.empty();
    prediction.n_best.push_back(std::move(candidate));
  }
  auto& kept = prediction.n_best;
  if (options.may_be_unanswerable && !none_kept) kept.push_back(none);
  if (kept.empty() || (kept.size() == 1 && kept[0].text.empty()))
    kept.insert(kept.begin(), QaCandidate{"empty", 0, 0, 0, 0, 0});
  set_probabilities(kept);
  while (kept[prediction.best_span].text.empty()) ++prediction.best_span;
  if (options.may_be_unanswerable)
    prediction.null_odds = score(none) - score(kept[prediction.best_span]);
  return prediction;
}

const QaCandidate* QaPrediction::answer(bool may_be_unanswerable, double null_threshold) const {
  return may_be_unanswerable && null_odds > null_threshold ? nullptr : &n_best[best_span];
}

nlohmann::ordered_json predictions_json(const std::vector<QaPrediction>& predictions,
                                        bool may_be_unanswerable, double null_threshold) {
  return object_of(predictions, [&](const QaPrediction& prediction) {
    const QaCandidate* answer = prediction.answer(may_be_unanswerable, null_threshold);
    return answer ? answer->text : std::string();
  });
}

nlohmann::ordered_json nbest_json(const std::vector<QaPrediction>& predictions) {
  return object_of(predictions, [](const QaPrediction& prediction) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& candidate : prediction.n_best)
      list.push_back({{"text", candidate.text},
                      {"probability", candidate.probability},
                      {"start_logit", candidate.start_logit},
                      {"end_logit", candidate.end_logit}});
    return list;
  });
}

nlohmann::ordered_json null_odds_json(const std::vector<QaPrediction>& predictions) {
  return object_of(predictions,
                   [](const QaPrediction& prediction) { return prediction.null_odds; });
}

}  // namespace gradus
