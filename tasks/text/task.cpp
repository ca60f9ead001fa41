#include "gradus/tasks/text/task.h"

namespace gradus {

TextTask::TextTask(const TaskOptions& o, const Tokenizer& t, Form f)
    : Task(o),
      options(o),
      tokenizer(t),
      form(f),
      glue(o.text.glue.empty() ? nullptr : &glue_task(o.text.glue)) {}

TextOptions TextTask::reading(bool labelled) const {
  const TextTaskOptions& o = options.text;
  TextOptions reading;
  if (glue) reading = glue_options(*glue, !labelled);
  reading.table.columns = options.columns.empty() ? reading.table.columns : options.columns;
  if (!o.text_column.empty())
    reading.columns = {o.text_column, o.pair_column, reading.columns.label};
  if (!o.label_column.empty()) reading.columns.label = o.label_column;
  reading.labels = labelled ? form.labels : LabelKind::none;
  reading.separator = o.label_separator;
  return reading;
}

std::unique_ptr<TaskSet> TextTask::read(const std::filesystem::path& path, TaskUse use) {
  TextSet set = read_texts(path, reading(use != TaskUse::prediction));
  if (use == TaskUse::training) form.learn(*this, set);
  return form.make_set(*this, std::move(set), use);
}

std::function<std::unique_ptr<TaskSet>()> TextTask::stream(const std::filesystem::path& path) {
  TextOptions how = reading(false);
  if (path == "-" && how.table.format == TableFormat::by_name)
    how.table = {TableFormat::tsv,
                 options.columns.empty() ? std::vector<std::string>{"text"} : options.columns,
                 false};
  auto reader = std::make_shared<TextReader>(path, how);
  return [task = *this, reader]() -> std::unique_ptr<TaskSet> {
    constexpr size_t kAtOnce = 512;
    TextSet part{reader->table().file(), reader->columns(), {}, 0};
    // what is there is answered when the input pauses
    for (TextExample example; part.examples.size() < kAtOnce &&
                              (part.examples.empty() || !reader->pauses()) &&
                              reader->next(example);)
      part.examples.push_back(std::move(example));
    if (part.examples.empty()) return nullptr;
    return task.form.make_set(task, std::move(part), TaskUse::prediction);
  };
}

void learn_labels(TextTask& task, const TextSet& training) {
  if (task.table.size() == 0) task.table = collect_labels(training);
}

std::vector<TaskOption> text_reading(TaskOptions& o, TaskOption own) {
  return {std::move(own),
          columns_option(o),
          {"text_column", &o.text.text_column, "default: sentence, text, sentence1 …"},
          {"pair_column", &o.text.pair_column, "of the second text"},
          {"label_column", &o.text.label_column, "default: label"},
          {"long_texts", word_option(o.text.long_texts, long_texts_words),
           "of longer texts: head tail head-tail windows"},
          doc_stride_option(o)};
}

TaskOption glue_option(TaskOptions& o) {
  return {"glue", &o.text.glue,
          "a GLUE task's columns, labels, metrics: cola sst2 mrpc stsb qqp mnli qnli rte wnli"};
}

}  // namespace gradus
