// The options that finetune, eval and predict share: how labelled files are read, and how answers
// are made.
#pragma once

#include "gradus/cli/cli.h"
#include "gradus/train/finetuned_model.h"

namespace gradus::cli {

// Options of a task under the heading that is set, each once.
void add_options(Verb& verb, const std::vector<TaskOption>& options);
// --max-seq-length and the others that say how files are read, under a heading of their own: those
// of a kind, or of all for verbs that learn the kind from the model.
void add_reading_options(Verb& verb, TaskOptions& options, const TaskKind& kind);
void add_reading_options(Verb& verb, TaskOptions& options);

// What eval and predict share: a fine-tuned model, a file, and how they are read.
struct AnswerOptions {
  std::string model, file, out;
  TaskOptions task;
  int64_t max_tokens = 8192;
  bool untrained_head = false, overwrite = false;
};

// --model, FILE, --out and the rest; `file` and `out` say what the two are. FILE is returned.
Option add_answer_options(Verb& verb, AnswerOptions& options, const std::string& file,
                          const std::string& out);

// The task that the model is for, with its labels, read as the options say. The model's tokenizer
// and configuration are copied.
std::unique_ptr<Task> make_task(const FinetunedModel& tuned, const AnswerOptions& options);

}  // namespace gradus::cli
