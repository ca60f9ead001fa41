#include "gradus/tasks/question/metrics.h"

#include <fmt/ranges.h>

#include <utf8proc.h>

#include <algorithm>
#include <functional>

#include "gradus/base/error.h"
#include "gradus/text/rules.h"

namespace gradus {
namespace {

// \w of Python: letters, numbers and the underscore (punctuation: gone by then)
bool is_word(char32_t c) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

bool is_space(char32_t c) {  // of Python's str.split()
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

bool is_ascii_punctuation(char32_t c) {
  return (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) ||
         (c >= 0x7B && c <= 0x7E);
}

std::u32string lower_without_punctuation(const std::string& text) {
  std::u32string out;
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    const char32_t c = read_utf8(at);
    if (is_ascii_punctuation(c)) continue;
    if (c == U'\u0130') out += U"i\u0307";  // the one code point whose lower case is two
    else out += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
  }
  return out;
}

// Words between white space, without articles. An article stands between code points that are no
// word characters, not only between spaces.
std::vector<std::string> words_of(const std::string& text) {
  const std::u32string letters = lower_without_punctuation(text);
  std::vector<std::string> words;
  bool open = false;
  for (size_t i = 0; i < letters.size();) {
    size_t end = i;
    if (i == 0 || !is_word(letters[i - 1]))
      while (end < letters.size() && is_word(letters[end])) ++end;
    const auto run = std::u32string_view(letters).substr(i, end - i);
    if (run == U"a" || run == U"an" || run == U"the" || is_space(letters[i])) {
      open = false;
      i = std::max(end, i + 1);
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    append_utf8(words.back(), letters[i++]);
  }
  return words;
}

struct Score {
  double exact = 0, f1 = 0;
};

double f1_of(const std::vector<std::string>& prediction,
             const std::vector<std::string>& reference) {
  if (prediction.empty() || reference.empty()) return prediction.empty() && reference.empty();
  std::map<std::string, int64_t> left;
  for (const auto& word : reference) ++left[word];
  double same = 0;
  for (const auto& word : prediction) same += left[word]-- > 0;
  if (same == 0) return 0;
  const double precision = same / static_cast<double>(prediction.size()),
               recall = same / static_cast<double>(reference.size());
  return 2 * precision * recall / (precision + recall);
}

// The best over the references.
Score score(const std::string& prediction, const std::vector<std::string>& references) {
  Score best;
  const auto words = words_of(prediction);
  for (const auto& reference : references) {
    const auto wanted = words_of(reference);
    best.exact = std::max(best.exact, static_cast<double>(words == wanted));
    best.f1 = std::max(best.f1, f1_of(words, wanted));
  }
  return best;
}

double percent(double sum, double count) { return count > 0 ? 100 * sum / count : 0; }

struct Scored {
  std::string id;
  bool answerable = false, answered = false;  // answered: the prediction is not ""
  Score score;
};

std::vector<Scored> score_all(const QaSet& set, const Answers& answers) {
  std::vector<Scored> scored;
  for (const auto& question : set.questions) {
    const auto found = answers.find(question.id);
    if (found == answers.end()) continue;
    std::vector<std::string> references;
    for (const auto& answer : question.answers)
      if (!words_of(answer.text).empty()) references.push_back(answer.text);
    if (references.empty()) references = {""};
    scored.push_back({question.id, !question.answers.empty(), !found->second.empty(),
                      score(found->second, references)});
  }
  return scored;
}

void add_means(Metrics& metrics, const std::string& prefix, const std::vector<Scored>& scored,
               const std::function<bool(const Scored&)>& wanted) {
  Score sum;
  double count = 0;
  for (const auto& one : scored) {
    if (!wanted(one)) continue;
    sum = {sum.exact + one.score.exact, sum.f1 + one.score.f1};
    count += 1;
  }
  if (count == 0 && !prefix.empty()) return;
  metrics.emplace_back(prefix + "exact", percent(sum.exact, count));
  metrics.emplace_back(prefix + "f1", percent(sum.f1, count));
  metrics.emplace_back(prefix + "total", count);
}

// find_best_thresh of the official program: the best mean and the odds above which "no answer" is
// said to reach it.
std::pair<double, double> best_threshold(const std::vector<Scored>& scored, const NullOdds& odds,
                                         double Score::*member) {
  std::vector<std::pair<double, const Scored*>> order;
  double current = 0;
  for (const auto& one : scored) {
    current += !one.answerable;
    if (const auto found = odds.find(one.id); found != odds.end())
      order.emplace_back(found->second, &one);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  double best = current, threshold = 0;
  for (const auto& [odd, one] : order) {
    if (one->answerable) current += one->score.*member;
    else if (one->answered) current -= 1;
    if (current <= best) continue;
    best = current;
    threshold = odd;
  }
  return {percent(best, static_cast<double>(scored.size())), threshold};
}

}  // namespace

std::string normalize_answer(const std::string& text) {
  return fmt::format("{}", fmt::join(words_of(text), " "));
}

double exact_match(const std::string& prediction, const std::string& reference) {
  return score(prediction, {reference}).exact;
}
double answer_f1(const std::string& prediction, const std::string& reference) {
  return score(prediction, {reference}).f1;
}

Metrics squad_metrics(const QaSet& set, const Answers& answers) {
  Score sum;
  for (const auto& question : set.questions) {
    const auto found = answers.find(question.id);
    if (found == answers.end()) continue;
    std::vector<std::string> references;
    for (const auto& answer : question.answers) references.push_back(answer.text);
    const Score own = score(found->second, references);
    sum.exact += own.exact;
    // evaluate-v1.1.py knows no right answer without words
    sum.f1 += words_of(found->second).empty() ? 0 : own.f1;
  }
  const auto count = static_cast<double>(set.questions.size());
  return {{"exact_match", percent(sum.exact, count)}, {"f1", percent(sum.f1, count)}};
}

Metrics squad2_metrics(const QaSet& set, const Answers& answers,
                       const std::optional<NullOdds>& odds) {
  const auto scored = score_all(set, answers);
  Metrics metrics;
  add_means(metrics, "", scored, [](const Scored&) { return true; });
  add_means(metrics, "HasAns_", scored, [](const Scored& one) { return one.answerable; });
  add_means(metrics, "NoAns_", scored, [](const Scored& one) { return !one.answerable; });
  if (!odds) return metrics;
  for (const auto& [name, member] :
       {std::pair{"exact", &Score::exact}, std::pair{"f1", &Score::f1}}) {
    const auto [best, threshold] = best_threshold(scored, *odds, member);
    metrics.emplace_back(fmt::format("best_{}", name), best);
    metrics.emplace_back(fmt::format("best_{}_thresh", name), threshold);
  }
  return metrics;
}

double find_null_threshold(const QaSet& set, const Answers& spans, const NullOdds& odds) {
  return best_threshold(score_all(set, spans), odds, &Score::f1).second;
}

}  // namespace gradus
