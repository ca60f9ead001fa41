// TaskOptions: how labelled files are read and learned from. And TaskOption: one of them with its
// name, its place and its meaning, as a kind of task lists those it has, so that the command line
// and a run's settings have them without knowing the kind.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <variant>
#include <vector>

#include "gradus/tasks/question/options.h"
#include "gradus/tasks/tagging/options.h"
#include "gradus/tasks/text/options.h"

namespace gradus {

struct TaskOptions {
  std::string kind = {};  // one of task_kinds()

  // What several kinds have.
  std::vector<std::string> labels = {};  // in the order of their ids; empty: from the training file
  std::string class_weights = {};        // "balanced", or "a=2,b=1"
  std::vector<std::string> columns = {};  // the file has no header, and these are its columns
  // 0: the kind's, or as many positions as the model has, if fewer
  int64_t max_seq_length = 0;
  int64_t doc_stride = 128;  // tokens that windows share

  // What one folder has.
  TextTaskOptions text = {};
  TaggingTaskOptions tagging = {};
  QuestionTaskOptions question = {};
};

// The value of an enumeration, said by a word.
struct WordOption {
  std::vector<std::string> words;  // in the order of the values
  std::function<size_t()> get;
  std::function<void(size_t)> set;
};
template <class Enum, class Words>
WordOption word_option(Enum& value, const Words& words) {
  return {{words.begin(), words.end()},
          [&value] { return static_cast<size_t>(value); },
          [&value](size_t number) { value = static_cast<Enum>(number); }};
}

struct TaskOption {
  std::string name;  // the field's; errors say options.NAME, the command line --NAME
  std::variant<bool*, int64_t*, double*, std::optional<double>*, std::string*,
               std::vector<std::string>*, WordOption>
      value;
  std::string about = {};  // for --help
};

// An Error where it is none of an option's words, which says them.
void set_word(const TaskOption& option, const std::string& word);

struct TaskOptionLists {
  std::vector<TaskOption> reading;  // how files are read and answers made: of eval and predict too
  std::vector<TaskOption> loss = {};  // of finetune alone
};

// Those of a kind with their values, for the settings of a run.
void add_settings(nlohmann::ordered_json& settings, TaskOptions options);

// Those that several kinds have, for their lists.
TaskOption labels_option(TaskOptions& options);
TaskOption class_weights_option(TaskOptions& options);
TaskOption columns_option(TaskOptions& options);
TaskOption doc_stride_option(TaskOptions& options);

}  // namespace gradus
