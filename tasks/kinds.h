// The kinds of tasks. All that is said of one outside of its folder is its TaskKind: the verbs of
// the program, the model card and config.json go by it. A program of one's own adds its kinds
// before a run begins:
//
//   register_task_kind({.name = "ordinal", …});
#pragma once

#include <deque>
#include <memory>

#include "gradus/models/heads.h"
#include "gradus/tasks/options.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

class Task;

struct TaskKind {
  std::string name;      // of `gradus finetune NAME`
  std::string about;     // what it gives, for --help: "a tag for each word"
  std::string files;     // what it learns from: "CoNLL columns"
  std::string example;   // a command that runs: "gradus finetune ner --model …"
  std::string pipeline;  // what model hubs call it
  std::string sentence;  // for the model card: "It marks names in a text."
  BertHead head = BertHead::sequence_classification;
  // config.json's word, where several kinds have the head: regression,
  // single_label_classification, multi_label_classification
  std::string problem_type = {};
  int64_t max_seq_length = 128;  // where none is given
  // Beside max_seq_length, which all have.
  std::function<TaskOptionLists(TaskOptions&)> options;
  // An Error where an option does not suit the kind.
  std::function<std::unique_ptr<Task>(const TaskOptions&, const Tokenizer&)> make;
};

// In the order in which they are shown.
const std::deque<TaskKind>& task_kinds();
// An unknown name is an Error that lists those there are.
const TaskKind& task_kind(const std::string& name);
// An Error where the name is taken.
void register_task_kind(TaskKind kind);

// How a fine-tuned folder's config.json says what it is for: kind and labels. The kind is that of
// its architecture and problem_type; of several the first, unless finetuning_task names another.
// An Error where it is not fine-tuned.
TaskOptions task_of(const BertConfig& config, const std::string& origin);

// options.max_seq_length, or what it is where it is not given.
int64_t sequence_length(const TaskOptions& options, const BertConfig& config);

}  // namespace gradus
