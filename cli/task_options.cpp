#include "gradus/cli/task_options.h"

#include <set>

#include "gradus/cli/spelling.h"

namespace gradus::cli {

namespace {

std::string name_of(const TaskOption& option) { return with_options("options." + option.name); }

void bind(Verb& verb, const TaskOption& option, bool* value) {
  verb.flag(name_of(option), *value, option.about);
}
void bind(Verb& verb, const TaskOption& option, std::vector<std::string>* value) {
  verb.option(name_of(option), *value, option.about).separated_by(',');
}
void bind(Verb& verb, const TaskOption& option, const WordOption& value) {
  verb.option(
      name_of(option), [option](const std::string& word) { set_word(option, word); },
      value.words[value.get()], option.about);
}
template <class T>
void bind(Verb& verb, const TaskOption& option, T* value) {
  verb.option(name_of(option), *value, option.about);
}

void add_max_seq_length(Verb& verb, TaskOptions& o) {
  verb.heading("Reading");
  const int64_t usual = TaskKind().max_seq_length;
  std::string about = fmt::format("tokens; default {}", usual);
  for (const TaskKind& kind : task_kinds())
    if (kind.max_seq_length != usual)
      about += fmt::format(", {} {}", kind.name, kind.max_seq_length);
  verb.option("--max-seq-length", o.max_seq_length, about);
}

}  // namespace

void add_options(Verb& verb, const std::vector<TaskOption>& options) {
  std::set<std::string> added;
  for (const TaskOption& option : options)
    if (added.insert(option.name).second)
      std::visit([&](const auto& value) { bind(verb, option, value); }, option.value);
}

void add_reading_options(Verb& verb, TaskOptions& o, const TaskKind& kind) {
  add_max_seq_length(verb, o);
  add_options(verb, kind.options(o).reading);
}

void add_reading_options(Verb& verb, TaskOptions& o) {
  std::vector<TaskOption> all;
  for (const TaskKind& kind : task_kinds())
    for (TaskOption& option : kind.options(o).reading) all.push_back(std::move(option));
  add_max_seq_length(verb, o);
  add_options(verb, all);
}

Option add_answer_options(Verb& verb, AnswerOptions& o, const std::string& file,
                          const std::string& out) {
  verb.option("--model", o.model, "a fine-tuned folder").required();
  const Option read = verb.option("FILE", o.file, file);
  verb.option("--out", o.out, out);
  verb.option("--max-tokens", o.max_tokens, "run at once").positive();
  verb.flag("--untrained-head", o.untrained_head, "go on where the head was never trained");
  add_reading_options(verb, o.task);
  return read;
}

std::unique_ptr<Task> make_task(const FinetunedModel& tuned, const AnswerOptions& o) {
  TaskOptions options = o.task;
  options.kind = tuned.task.kind;
  options.labels = tuned.task.labels;
  return Task::make(options, tuned.tokenizer, tuned.config);
}

}  // namespace gradus::cli
