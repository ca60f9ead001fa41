#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/json.h"
#include "gradus/tasks/tagging/metrics.h"
#include "gradus/tasks/tagging/mistakes.h"
#include "gradus/tasks/tagging/task.h"
#include "gradus/text/code_points.h"

namespace gradus {

using Json = nlohmann::ordered_json;

TaggingTaskSet::TaggingTaskSet(const TaggingTask& task, TaggedSet read,
                               std::vector<PlacedWords> written, bool labelled)
    : options_(task.options),
      table_(task.table),
      loss_(task.loss),
      set_(std::move(read)),
      lines_(std::move(written)),
      ids_(labelled ? tag_ids(set_, table_) : std::vector<std::vector<int32_t>>{}),
      features_(set_, ids_, table_, task.tokenizer, task.windows()) {}

std::vector<Sequence> TaggingTaskSet::sequences(int64_t unit) const {
  Sequence sequence;
  sequence.ids = features_.input(window(unit)).ids;
  const size_t length = sequence.ids.size();
  sequence.types.assign(length, 0);
  sequence.special.assign(length, 0);
  sequence.special.front() = sequence.special.back() = 1;
  sequence.offsets.assign(length, {0, 0});
  sequence.words.assign(length, -1);
  return {sequence};
}

// logits [tokens, labels]: the rows that carry a label count.
Targets TaggingTaskSet::targets(std::span<const int64_t> units) const {
  std::vector<double> weights;
  std::vector<int32_t> rows, labels;
  int32_t row = 0;
  for (const int64_t unit : units) {
    std::vector<int32_t> own;
    for (const int32_t label : features_.input(window(unit)).labels) {
      if (label != no_label) rows.push_back(row), own.push_back(label);
      ++row;
    }
    weights.push_back(total_weight(own, loss_));
    labels.insert(labels.end(), own.begin(), own.end());
  }
  return {weights,
          [rows, labels, loss = loss_](const Tensor& logits, const Ragged&, double denominator) {
            if (rows.empty()) return sum(logits) * 0;  // windows of words without a token
            return weighted_cross_entropy(
                take(logits, from_vector(rows, {static_cast<int64_t>(rows.size())})), labels, loss,
                denominator);
          }};
}

std::vector<TaggingTaskSet::Tagged> TaggingTaskSet::tag(
    const std::vector<UnitLogits>& logits) const {
  // All tokens are numbered, so that word_labels() says for each word which token stands for it.
  const auto columns = static_cast<size_t>(table_.size());
  std::vector<std::vector<int32_t>> numbers;
  std::vector<std::span<const float>> rows;
  for (const UnitLogits& unit : logits) {
    auto& own = numbers.emplace_back();
    for (size_t begin = 0; begin < unit.size(); begin += columns) {
      own.push_back(static_cast<int32_t>(rows.size()));
      rows.emplace_back(unit.data() + begin, columns);
    }
  }
  std::vector<Tagged> sentences;
  for (const std::vector<int32_t>& words : features_.word_labels(numbers, -1)) {
    Tagged& sentence = sentences.emplace_back();
    for (const int32_t number : words) {
      if (number < 0) {
        sentence.tags.emplace_back("O");
        sentence.scores.push_back(1);
        continue;
      }
      const std::vector<double> p = probabilities(rows[static_cast<size_t>(number)]);
      const auto best = std::max_element(p.begin(), p.end());
      sentence.tags.push_back(table_.name(static_cast<int32_t>(best - p.begin())));
      sentence.scores.push_back(*best);
    }
  }
  return sentences;
}

// Over the tokens that carry a label, each counting the same.
double TaggingTaskSet::mean_loss(const std::vector<UnitLogits>& logits) const {
  const auto columns = static_cast<size_t>(table_.size());
  double total = 0, count = 0;
  for (size_t u = 0; u < logits.size(); ++u) {
    const std::vector<int32_t> labels = features_.input(features_.windows()[u]).labels;
    for (size_t t = 0; t < labels.size(); ++t) {
      if (labels[t] == no_label) continue;
      const auto p = probabilities(std::span(logits[u]).subspan(t * columns, columns));
      total -= std::log(std::max(p[static_cast<size_t>(labels[t])], 1e-300));
      ++count;
    }
  }
  return total / std::max(count, 1.0);
}

Evaluation TaggingTaskSet::evaluate(const std::vector<UnitLogits>& logits) const {
  std::vector<Tags> gold, predicted;
  for (const TaggedSentence& sentence : set_.sentences) gold.push_back(sentence.tags);
  for (Tagged& sentence : tag(logits)) predicted.push_back(std::move(sentence.tags));
  const EntityScores scores = score_entities(gold, predicted, strict());
  Evaluation result;
  result.metrics = entity_metrics(scores);
  put_first(result.metrics, "f1");
  result.metrics.emplace_back("loss", mean_loss(logits));
  result.tables =
      fmt::format("entities as {} reads them{}\n",
                  strict() ? "seqeval's strict mode" : "conlleval.pl",
                  strict() ? fmt::format(" in {}", scheme_name(set_.scheme)) : "") +
      entity_table(scores) + "\n" +
      entity_mistakes(set_.sentences, predicted, [&](const Tags& tags) { return find(tags); });
  return result;
}

void TaggingTaskSet::write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                                       int64_t first) const {
  const std::vector<Tagged> tagged = tag(logits);
  for (size_t s = 0; s < tagged.size(); ++s) {
    const auto& [tags, scores] = tagged[s];
    const PlacedWords& placed = lines_.empty() ? join_words(set_.sentences[s].words) : lines_[s];
    const CodePoints points(placed.text);
    Json found = Json::array();
    for (const Entity& entity : find(tags)) {
      const auto begin = static_cast<size_t>(entity.begin), end = static_cast<size_t>(entity.end);
      const int32_t from = placed.places[begin].first, to = placed.places[end - 1].second;
      const double total =
          std::accumulate(scores.begin() + entity.begin, scores.begin() + entity.end, 0.0);
      found.push_back({{"type", entity.type},
                       {"text", points.slice(from, to)},
                       {"begin", begin},
                       {"end", end},
                       {"start_char", from},
                       {"end_char", to},
                       {"score", total / static_cast<double>(end - begin)}});
    }
    jsonl << Json{{"index", first + static_cast<int64_t>(s)},
                  {"words", placed.words},
                  {"tags", tags},
                  {"entities", found}}
                 .dump()
          << "\n";
  }
}

std::string TaggingTaskSet::describe() const {
  std::string text = fmt::format("{}: {} sentences, tagged in {}\n", set_.file,
                                 set_.sentences.size(), scheme_name(set_.scheme));
  if (set_.irregular)
    text += fmt::format(
        "{}: {} tags stand where {} forbids them, the first in line {}; they are kept\n", set_.file,
        set_.irregular, scheme_name(set_.scheme), set_.irregular_line);
  return text;
}

std::string TaggingTaskSet::notes() const {
  const auto& counts = features_.counts();
  std::string text;
  if (counts.long_sentences)
    text +=
        fmt::format("{}: {} of {} sentences are longer than {} tokens and are read in windows\n",
                    set_.file, counts.long_sentences, examples(), options_.max_seq_length);
  if (counts.lost_words)
    text += fmt::format("{}: {} words have no token (a lone U+200B has none) and are tagged O\n",
                        set_.file, counts.lost_words);
  if (counts.cut_words)
    text += fmt::format("{}: {} words have more pieces than fit into a window and are cut\n",
                        set_.file, counts.cut_words);
  return text;
}

}  // namespace gradus
