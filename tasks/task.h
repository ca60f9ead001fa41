// tasks/: what BERT is fine-tuned for, one kind of task a folder, in which everything of it lies:
// its options, the reader of its files, its features, its loss, how answers are decoded, judged and
// written, and what is said of it elsewhere (its TaskKind, kinds.h). Uses models/ and below, data/
// and text/; the loop (train/loop.h), `eval` and `predict` know kinds through this header alone.
//
//   text/       classify, regress, multilabel: texts and pairs with labels; GLUE's layouts
//   tagging/    ner: columns of words and tags
//   question/   qa: SQuAD 1.1 and 2.0
//   choice/     choice: SWAG, CODAH and other multiple choice
//   kinds.h     the list of the kinds
//   options.h   what a user may say of a task
//   labels.h    the names of the classes
//
//   Task      reads files: what they share are labels, lengths, the form of the loss
//   TaskSet   one file, read and encoded, complete by itself. Its units are what is shuffled and
//             batched: texts, windows of a context, questions with their choices
//   Targets   what is right of some units
//
// Labels are names everywhere but in the loss, because the order of labels differs between tools:
// those of TaskOptions::labels (a fine-tuned model's config.json, or the user), of a GLUE task, or
// else those that occur in the training file. Metrics equal the field's references on recorded
// cases: scikit-learn and scipy, seqeval, the official SQuAD evaluation
// (tests/fixtures/make_metric_cases.py).
#pragma once

#include <filesystem>
#include <ostream>
#include <span>

#include "gradus/base/metrics.h"
#include "gradus/nn/losses.h"
#include "gradus/tasks/kinds.h"

namespace gradus {

// The logits of a unit's sequences as BertForTask gives them, row by row.
using UnitLogits = std::vector<float>;

struct Evaluation {
  Metrics metrics = {};          // by name; models are chosen by the first
  bool larger_is_better = true;  // of the first
  // the first, of the best answer that looks at no text (the most frequent class): a model at it
  // has learned nothing
  double constant = 0;
  std::string tables = {};  // for people: per class, confusion matrix, the worst mistakes
};

// What is right of some units of a set, which need not live as long.
struct Targets {
  std::vector<double> weights;  // what each unit adds to the loss's denominator
  // The loss divided by `denominator`, the weights of the whole batch; logits are of the units'
  // sequences, one under the other.
  std::function<Tensor(const Tensor& logits, const Ragged& sequences, double denominator)> loss;
};

class TaskSet {
 public:
  virtual ~TaskSet() = default;
  virtual int64_t size() const = 0;  // units
  // one; one a choice; one a window of a long text
  virtual std::vector<Sequence> sequences(int64_t unit) const = 0;
  // Of a set that was read with labels.
  virtual Targets targets(std::span<const int64_t> units) const = 0;
  // from those of all units, in order
  virtual Evaluation evaluate(const std::vector<UnitLogits>& logits) const = 0;
  // A line of JSON an example. `first` is the number of the first example in the whole file, of
  // which this may be a part.
  virtual void write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                                 int64_t first) const = 0;
  // The files that the task's own evaluation programs read, into the folder of the results; most
  // tasks have none.
  virtual void write_files(const std::vector<UnitLogits>&,
                           const std::filesystem::path& /*folder*/) const {}
  virtual int64_t examples() const { return size(); }
  // For people, a line each: what is in it; and what was cut, left out or empty.
  virtual std::string describe() const { return ""; }
  virtual std::string notes() const { return ""; }
  // How often each label occurs, in the order of their ids; none where examples have no labels.
  virtual std::vector<int64_t> label_counts() const { return {}; }
};

// prediction: labels are not read and need not be there
enum class TaskUse { training, validation, prediction };

class Task {
 public:
  // An Error where an option does not suit the kind, or the model, whose `config` says how many
  // positions it has.
  static std::unique_ptr<Task> make(TaskOptions options, const Tokenizer& tokenizer,
                                    const BertConfig& config);
  explicit Task(const TaskOptions& options) : kind_(&task_kind(options.kind)) {}
  virtual ~Task() = default;

  const TaskKind& kind() const { return *kind_; }
  // By their ids; none where the model gives none.
  virtual std::vector<std::string> labels() const { return {}; }
  virtual std::unique_ptr<TaskSet> read(const std::filesystem::path& path,
                                        // training comes first, where labels are to be found
                                        TaskUse use) = 0;
  // For prediction: a function that gives the file ("-": standard input) in parts of some hundred
  // examples, and null at its end.
  virtual std::function<std::unique_ptr<TaskSet>()> stream(const std::filesystem::path& path);
  // Says in `config` what the model is for, as task_of() reads it.
  void configure(BertConfig& config) const;
  // For people: labels and how often each occurs, and what the sets say of themselves.
  std::string describe(const TaskSet& training, const TaskSet* validation) const;

 private:
  const TaskKind* kind_;
};

// The logits of all units, run in batches of similar length; between_batches may throw.
std::vector<UnitLogits> run_task(const BertForTask& model, const TaskSet& set,
                                 int64_t batch_tokens = 8192,
                                 const std::function<void()>& between_batches = {});

}  // namespace gradus
