// ner: a tag for every word. Long sentences are read in windows, and each word is judged where most
// is seen around it; its first piece carries its tag. To be predicted are columns of words, or
// plain text (.txt, standard input): a sentence a line, split into words here.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gradus/base/json.h"
#include "gradus/data/line_reader.h"
#include "gradus/tasks/kinds.h"
#include "gradus/tasks/placed_words.h"
#include "gradus/tasks/tagging/features.h"
#include "gradus/tasks/tagging/metrics.h"
#include "gradus/tasks/tagging/mistakes.h"
#include "gradus/text/code_points.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

struct TaggingTask : Task {
  TaskOptions options;
  Tokenizer tokenizer;
  LabelTable table;
  CrossEntropyOptions loss;  // class weights alone

  TaggingTask(const TaskOptions& o, const Tokenizer& t) : options(o), tokenizer(t) {
    check(o.label_smoothing == 0 && o.focal_gamma == 0,
          "options.label_smoothing and options.focal_gamma are for classify");
    check(o.columns.empty() && o.text_column.empty() && o.pair_column.empty() &&
              o.label_column.empty(),
          "ner reads columns without names: the first is the word, the last its tag; "
          "options.columns and "
          "options.text_column are for tables");
    check(o.long_texts == "head" || o.long_texts == "windows",
          "options.long_texts {} is not for ner: of a long sentence every word is read, in windows",
          o.long_texts);
    if (!o.labels.empty()) set_table(LabelTable(o.labels));
  }

  BertHead head() const override { return BertHead::token_classification; }
  std::unique_ptr<TaskSet> read(const std::filesystem::path& path, TaskUse use) override;
  std::function<std::unique_ptr<TaskSet>()> stream(const std::filesystem::path& path) override;
  std::string describe(const TaskSet& training, const TaskSet* validation) const override;

  void configure(BertConfig& config) const override {
    config.problem_type.clear();
    config.id2label.clear();
    for (int32_t id = 0; id < table.size(); ++id) config.id2label[id] = table.name(id);
  }

  void set_table(LabelTable names) {
    for (const std::string& name : names.names())
      check(is_tag(name),
            "the label '{}' is not a tag; tags are O, or B-, I-, E-, S- and a type, as B-PER",
            name);
    check(names.find("O") >= 0, "the labels ({}) lack O, the tag of words outside of all entities",
          fmt::join(names.names(), ", "));
    table = std::move(names);
  }

  // Windows share --doc-stride tokens, but no more than a quarter: at the default stride short
  // windows would hardly advance.
  TagOptions windows() const {
    return {options.max_seq_length, std::min(options.doc_stride, (options.max_seq_length - 2) / 4),
            options.label_all_tokens};
  }

  void require_table() const {
    check(table.size() > 0,
          "ner: the tags are not known; they come from the training file or from the model's "
          "config.json");
  }

  static bool is_plain_text(const std::filesystem::path& path) {
    return path == "-" || path.extension() == ".txt";
  }
  std::unique_ptr<TaskSet> read_lines(LineReader& reader, size_t most) const;

  // The scheme that the table's tags are of, for predictions by --strict_entities. (Of IOB1 and
  // IOB2 with the same tags IOB2.)
  TagScheme scheme() const {
    std::vector<Tags> each;
    for (const std::string& name : table.names()) each.push_back({name});
    return recognise_scheme(each);
  }
};

struct TaggingTaskSet : TaskSet {
  const TaggingTask& task;
  TaggedSet set;
  std::vector<PlacedWords> lines;  // of plain text: the sentences as they were written
  // [sentences][words], none where labels were not asked for
  std::vector<std::vector<int32_t>> ids;
  TagFeatures features;

  TaggingTaskSet(const TaggingTask& task, TaggedSet read, std::vector<PlacedWords> written,
                 bool labelled)
      : task(task),
        set(std::move(read)),
        lines(std::move(written)),
        ids(labelled ? tag_ids(set, task.table) : std::vector<std::vector<int32_t>>{}),
        features(set, ids, task.table, task.tokenizer, task.windows()) {}

  int64_t size() const override { return static_cast<int64_t>(features.windows().size()); }
  int64_t examples() const override { return static_cast<int64_t>(set.sentences.size()); }

  std::vector<Sequence> sequences(int64_t unit) const override {
    Sequence sequence;
    sequence.ids = features.input(window(unit)).ids;
    const size_t length = sequence.ids.size();
    sequence.types.assign(length, 0);
    sequence.special.assign(length, 0);
    sequence.special.front() = sequence.special.back() = 1;
    sequence.offsets.assign(length, {0, 0});
    sequence.words.assign(length, -1);
    return {sequence};
  }

  double weight(int64_t unit) const override {
    std::vector<int32_t> labels = features.input(window(unit)).labels;
    std::erase(labels, no_label);
    return total_weight(labels, task.loss);
  }

  // logits [tokens, labels]: the rows that carry a label count.
  Tensor loss(const Tensor& logits, const Ragged&, std::span<const int64_t> units,
              double denominator) const override {
    std::vector<int32_t> rows, labels;
    int32_t row = 0;
    for (const int64_t unit : units)
      for (const int32_t label : features.input(window(unit)).labels) {
        if (label != no_label) rows.push_back(row), labels.push_back(label);
        ++row;
      }
    if (rows.empty()) return sum(logits) * 0;  // windows of words without a token
    return weighted_cross_entropy(
        take(logits, from_vector(rows, {static_cast<int64_t>(rows.size())})), labels, task.loss,
        denominator);
  }

  std::vector<int64_t> label_counts() const {  // of words
    std::vector<int64_t> counts(static_cast<size_t>(task.table.size()));
    for (const auto& sentence : ids)
      for (const int32_t id : sentence) ++counts[static_cast<size_t>(id)];
    return counts;
  }

  Evaluation evaluate(const std::vector<UnitLogits>& logits) const override;
  void write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                         int64_t first) const override;

  std::string notes() const override {
    const auto& counts = features.counts();
    std::string text;
    if (counts.long_sentences)
      text +=
          fmt::format("{}: {} of {} sentences are longer than {} tokens and are read in windows\n",
                      set.file, counts.long_sentences, examples(), task.options.max_seq_length);
    if (counts.lost_words)
      text += fmt::format("{}: {} words have no token (a lone U+200B has none) and are tagged O\n",
                          set.file, counts.lost_words);
    if (counts.cut_words)
      text += fmt::format("{}: {} words have more pieces than fit into a window and are cut\n",
                          set.file, counts.cut_words);
    return text;
  }

 private:
  const TagWindow& window(int64_t unit) const {
    return features.windows()[static_cast<size_t>(unit)];
  }
  std::optional<TagScheme> strict() const {
    return task.options.strict_entities ? std::optional(set.scheme) : std::nullopt;
  }
  std::vector<Entity> find(const Tags& tags) const {
    return strict() ? strict_entities(tags, *strict()) : entities(tags);
  }

  struct Tagged {
    Tags tags;
    std::vector<double> scores;  // the probability of each word's tag; 1 for a word without a token
  };
  std::vector<Tagged> tag(const std::vector<UnitLogits>& logits) const;
  double mean_loss(const std::vector<UnitLogits>& logits) const;
};

std::vector<TaggingTaskSet::Tagged> TaggingTaskSet::tag(
    const std::vector<UnitLogits>& logits) const {
  // All tokens are numbered, so that word_labels() says for each word which token stands for it.
  const auto columns = static_cast<size_t>(task.table.size());
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
  for (const std::vector<int32_t>& words : features.word_labels(numbers, -1)) {
    Tagged& sentence = sentences.emplace_back();
    for (const int32_t number : words) {
      if (number < 0) {
        sentence.tags.emplace_back("O");
        sentence.scores.push_back(1);
        continue;
      }
      const std::vector<double> p = probabilities(rows[static_cast<size_t>(number)]);
      const auto best = std::max_element(p.begin(), p.end());
      sentence.tags.push_back(task.table.name(static_cast<int32_t>(best - p.begin())));
      sentence.scores.push_back(*best);
    }
  }
  return sentences;
}

// Over the tokens that carry a label, each counting the same.
double TaggingTaskSet::mean_loss(const std::vector<UnitLogits>& logits) const {
  const auto columns = static_cast<size_t>(task.table.size());
  double total = 0, count = 0;
  for (size_t u = 0; u < logits.size(); ++u) {
    const std::vector<int32_t> labels = features.input(features.windows()[u]).labels;
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
  for (const TaggedSentence& sentence : set.sentences) gold.push_back(sentence.tags);
  for (Tagged& sentence : tag(logits)) predicted.push_back(std::move(sentence.tags));
  const EntityScores scores = score_entities(gold, predicted, strict());
  Evaluation result;
  result.metrics = entity_metrics(scores);
  put_first(result.metrics, "f1");
  result.metrics.emplace_back("loss", mean_loss(logits));
  result.tables =
      fmt::format("entities as {} reads them{}\n",
                  strict() ? "seqeval's strict mode" : "conlleval.pl",
                  strict() ? fmt::format(" in {}", scheme_name(set.scheme)) : "") +
      entity_table(scores) + "\n" +
      entity_mistakes(set.sentences, predicted, [&](const Tags& tags) { return find(tags); });
  return result;
}

void TaggingTaskSet::write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                                       int64_t first) const {
  const std::vector<Tagged> tagged = tag(logits);
  for (size_t s = 0; s < tagged.size(); ++s) {
    const auto& [tags, scores] = tagged[s];
    const PlacedWords& placed = lines.empty() ? join_words(set.sentences[s].words) : lines[s];
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

std::unique_ptr<TaskSet> TaggingTask::read(const std::filesystem::path& path, TaskUse use) {
  const bool labelled = use != TaskUse::prediction;
  if (!labelled && is_plain_text(path)) {
    LineReader reader(path);
    auto set = read_lines(reader, std::numeric_limits<size_t>::max());
    check(set != nullptr, "{}: it holds no lines", reader.file());
    return set;
  }
  TaggedSet set = read_tagged(path, {.labelled = labelled});
  if (use == TaskUse::training && table.size() == 0) set_table(collect_tags(set));
  require_table();
  if (!labelled) set.scheme = scheme();
  auto result =
      std::make_unique<TaggingTaskSet>(*this, std::move(set), std::vector<PlacedWords>{}, labelled);
  if (use == TaskUse::training)
    loss.class_weights =
        parse_class_weights(options.class_weights, table.names(), result->label_counts());
  return result;
}

// The next lines of plain text, null at the end.
std::unique_ptr<TaskSet> TaggingTask::read_lines(LineReader& reader, size_t most) const {
  require_table();
  TaggedSet set{reader.file(), {}, scheme(), 0, 0};
  std::vector<PlacedWords> lines;
  for (std::string line; lines.size() < most && reader.next(line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(split_words(std::move(line), tokenizer));
    set.sentences.push_back({lines.back().words, {}, reader.number()});
  }
  if (lines.empty()) return nullptr;
  return std::make_unique<TaggingTaskSet>(*this, std::move(set), std::move(lines), false);
}

// Plain text is read in parts, files of columns whole.
std::function<std::unique_ptr<TaskSet>()> TaggingTask::stream(const std::filesystem::path& path) {
  if (!is_plain_text(path)) return Task::stream(path);
  return [this, reader = std::make_shared<LineReader>(path)] { return read_lines(*reader, 256); };
}

std::string TaggingTask::describe(const TaskSet& training, const TaskSet* validation) const {
  const auto& train = dynamic_cast<const TaggingTaskSet&>(training);
  const auto* held_out = dynamic_cast<const TaggingTaskSet*>(validation);
  std::string text = label_distribution(
      table, train.label_counts(), held_out ? held_out->label_counts() : std::vector<int64_t>{});
  for (const auto* part : {&train, held_out}) {
    if (!part) continue;
    const TaggedSet& set = part->set;
    text += fmt::format("{}: {} sentences, tagged in {}\n", set.file, set.sentences.size(),
                        scheme_name(set.scheme));
    if (set.irregular)
      text += fmt::format(
          "{}: {} tags stand where {} forbids them, the first in line {}; they are kept\n",
          set.file, set.irregular, scheme_name(set.scheme), set.irregular_line);
  }
  return text;
}

}  // namespace

std::unique_ptr<Task> make_tagging_task(const TaskOptions& options, const Tokenizer& tokenizer) {
  return std::make_unique<TaggingTask>(options, tokenizer);
}

}  // namespace gradus
