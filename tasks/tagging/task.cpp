#include "gradus/tasks/tagging/task.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace gradus {

TaggingTask::TaggingTask(const TaskOptions& o, const Tokenizer& t)
    : Task(o), options(o), tokenizer(t) {
  refuse_glue(o);
  refuse_smoothing(o);
  check(o.columns.empty() && o.text.text_column.empty() && o.text.pair_column.empty() &&
            o.text.label_column.empty(),
        "ner reads columns without names: the first is the word, the last its tag; "
        "options.columns and options.text_column are for tables");
  check(o.text.long_texts == LongTexts::head || o.text.long_texts == LongTexts::windows,
        "options.long_texts {} is not for ner: of a long sentence every word is read, in windows",
        word_of(o.text.long_texts));
  if (!o.labels.empty()) set_table(LabelTable(o.labels));
}

void TaggingTask::set_table(LabelTable names) {
  for (const std::string& name : names.names())
    check(is_tag(name),
          "the label '{}' is not a tag; tags are O, or B-, I-, E-, S- and a type, as B-PER", name);
  check(names.find("O") >= 0, "the labels ({}) lack O, the tag of words outside of all entities",
        fmt::join(names.names(), ", "));
  table = std::move(names);
}

// Windows share --doc-stride tokens, but no more than a quarter: at the default stride short
// windows would hardly advance.
TagOptions TaggingTask::windows() const {
  return {options.max_seq_length, std::min(options.doc_stride, (options.max_seq_length - 2) / 4),
          options.tagging.label_all_tokens};
}

void TaggingTask::require_table() const {
  check(table.size() > 0,
        "ner: the tags are not known; they come from the training file or from the model's "
        "config.json");
}

// The scheme that the table's tags are of, for predictions by --strict_entities. (Of IOB1 and
// IOB2 with the same tags IOB2.)
TagScheme TaggingTask::scheme() const {
  std::vector<Tags> each;
  for (const std::string& name : table.names()) each.push_back({name});
  return recognise_scheme(each);
}

namespace {

bool is_plain_text(const std::filesystem::path& path) {
  return path == "-" || path.extension() == ".txt";
}

}  // namespace

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
  if (use == TaskUse::training)
    loss.class_weights = parse_class_weights(options.class_weights, table.names(),
                                             count_tags(tag_ids(set, table), table));
  return std::make_unique<TaggingTaskSet>(*this, std::move(set), std::vector<PlacedWords>{},
                                          labelled);
}

// The next lines of plain text, null at the end.
std::unique_ptr<TaskSet> TaggingTask::read_lines(LineReader& reader, size_t most) const {
  require_table();
  TaggedSet set{reader.file(), {}, scheme(), 0, 0};
  std::vector<PlacedWords> lines;
  const auto goes_on = [&] {  // what is there is answered when the input pauses
    return lines.size() < most && (lines.empty() || !reader.pauses());
  };
  for (std::string line; goes_on() && reader.next(line);) {
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
  return [task = *this, reader = std::make_shared<LineReader>(path)] {
    return task.read_lines(*reader, 256);
  };
}

TaskKind ner_kind() {
  return {
      .name = "ner",
      .about = "a tag for each word",
      .files = "CoNLL columns",
      .example =
          "gradus finetune ner --model minilm --train train.conll --validation dev.conll --out "
          "runs/ner",
      .pipeline = "token-classification",
      .sentence = "It marks names in a text.",
      .head = BertHead::token_classification,
      .options =
          [](TaskOptions& o) {
            return TaskOptionLists{{doc_stride_option(o),
                                    {"strict_entities", &o.tagging.strict_entities,
                                     "count entities as the tagging scheme demands"}},
                                   {labels_option(o),
                                    class_weights_option(o),
                                    {"label_all_tokens", &o.tagging.label_all_tokens,
                                     "further pieces of a word are labelled too"}}};
          },
      .make = [](const TaskOptions& options, const Tokenizer& tokenizer) -> std::unique_ptr<Task> {
        return std::make_unique<TaggingTask>(options, tokenizer);
      },
  };
}

}  // namespace gradus
