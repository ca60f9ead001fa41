#include "gradus/tasks/kinds.h"

#include <algorithm>

#include "gradus/tasks/common.h"
#include "gradus/tasks/task.h"

namespace gradus {

// Each in its own folder.
TaskKind classify_kind();
TaskKind regress_kind();
TaskKind multilabel_kind();
TaskKind ner_kind();
TaskKind qa_kind();
TaskKind choice_kind();

namespace {

std::deque<TaskKind>& kinds() {
  static std::deque<TaskKind> list{
      classify_kind(),    // text/
      regress_kind(),     // text/
      multilabel_kind(),  // text/
      ner_kind(),         // tagging/
      qa_kind(),          // question/
      choice_kind(),      // choice/
  };
  return list;
}

const TaskKind* find(const std::string& name) {
  const auto found = std::find_if(kinds().begin(), kinds().end(),
                                  [&](const TaskKind& kind) { return kind.name == name; });
  return found == kinds().end() ? nullptr : &*found;
}

// Of a model with this head: the kind that it was fine-tuned for; null: none has the head.
const TaskKind* kind_of(const BertConfig& config, BertHead head) {
  const TaskKind* named = find(config.finetuning_task);
  if (named && named->head == head) return named;
  // transformers' way to say a number without a word
  const bool number = config.problem_type.empty() && config.num_labels() == 1;
  const std::string problem = number ? "regression" : config.problem_type;
  const TaskKind* first = nullptr;
  for (const TaskKind& kind : kinds()) {
    if (kind.head != head) continue;
    if (kind.problem_type == problem) return &kind;
    if (!first) first = &kind;
  }
  return first;
}

}  // namespace

const std::deque<TaskKind>& task_kinds() { return kinds(); }

const TaskKind& task_kind(const std::string& name) {
  if (const TaskKind* kind = find(name)) return *kind;
  std::vector<std::string> names;
  for (const TaskKind& kind : kinds()) names.push_back(kind.name);
  fail("no task is called '{}'; there are {}", name, listed(names, "and"));
}

void register_task_kind(TaskKind kind) {
  check(!kind.name.empty() && kind.options && kind.make,
        "register_task_kind: it needs a name, options and make");
  if (find(kind.name))
    fail("register_task_kind: there is a kind of task called '{}' already", kind.name);
  kinds().push_back(std::move(kind));
}

TaskOptions task_of(const BertConfig& config, const std::string& origin) {
  const auto head =
      config.architectures.empty() ? std::nullopt : head_named(config.architectures[0]);
  const TaskKind* kind = head ? kind_of(config, *head) : nullptr;
  if (!kind)
    fail(
        "{}: it is not fine-tuned for a task (its architecture is {}); `gradus finetune` makes "
        "such folders",
        origin, config.architectures.empty() ? "not said" : config.architectures[0]);
  TaskOptions options{.kind = kind->name};
  for (const auto& [id, name] : config.id2label) options.labels.push_back(name);
  // what transformers calls them
  if (options.labels.empty() && kind->problem_type == "single_label_classification")
    options.labels = {"LABEL_0", "LABEL_1"};
  return options;
}

void Task::configure(BertConfig& config) const {
  config.problem_type = kind().problem_type;
  config.finetuning_task.clear();
  config.id2label.clear();
  const std::vector<std::string> names = labels();
  for (size_t id = 0; id < names.size(); ++id)
    config.id2label[static_cast<int64_t>(id)] = names[id];
  if (kind_of(config, kind().head) != &kind()) config.finetuning_task = kind().name;
}

int64_t sequence_length(const TaskOptions& options, const BertConfig& config) {
  if (options.max_seq_length != 0) return options.max_seq_length;
  return std::min(task_kind(options.kind).max_seq_length, config.max_position_embeddings);
}

}  // namespace gradus
