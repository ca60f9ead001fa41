// tasks/: what BERT is fine-tuned for, one kind of task a folder, in which everything of it lies:
// the reader of its files, its features, its loss, how answers are decoded, judged and written.
// Uses models/ and below, data/ and text/; the loop (train/loop.h), `eval` and `predict` know
// kinds through this header alone.
//
//   text/       classify, regress, multilabel: texts and pairs with labels; GLUE's layouts
//   tagging/    ner: columns of words and tags
//   question/   qa: SQuAD 1.1 and 2.0
//   choice/     choice: SWAG, CODAH and other multiple choice
//   labels.h    the names of the classes
//
//   Task      what all files of a task share: labels, lengths, the form of the loss
//   TaskSet   one file, read and encoded. Its units are what is shuffled and batched: texts,
//             windows of a context, questions with their choices
//
// Labels are names everywhere but in the loss, because the order of labels differs between tools:
// those of TaskOptions::labels (a fine-tuned model's config.json, or the user), of a GLUE task, or
// else those that occur in the training file. A Task must outlive its sets. Metrics equal the
// field's references on recorded cases: scikit-learn and scipy, seqeval, the official SQuAD
// evaluation (tests/fixtures/make_metric_cases.py).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <span>

#include "gradus/models/heads.h"
#include "gradus/nn/losses.h"
#include "gradus/tasks/text/classification.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

// The logits of a unit's sequences as BertForTask gives them, row by row.
using UnitLogits = std::vector<float>;

struct Evaluation {
  Metrics metrics;               // by name; models are chosen by the first
  bool larger_is_better = true;  // of the first
  // the first, of the best answer that looks at no text (the most frequent class): a model at it
  // has learned nothing
  double constant = 0;
  std::string tables;  // for people: per class, confusion matrix, the worst mistakes
};

class TaskSet {
 public:
  virtual ~TaskSet() = default;
  virtual int64_t size() const = 0;  // units
  // one; one a choice; one a window of a long text
  virtual std::vector<Sequence> sequences(int64_t unit) const = 0;
  // what it adds to the loss's denominator
  virtual double weight(int64_t unit) const = 0;
  // The loss of some units divided by `denominator`, the weights of the whole batch; logits are of
  // their sequences, one under the other.
  virtual Tensor loss(const Tensor& logits, const Ragged& sequences, std::span<const int64_t> units,
                      double denominator) const = 0;
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
  virtual std::string notes() const { return ""; }  // what was cut, left out or empty; a line each
};

struct TaskOptions {
  std::string kind = {};                  // classify regress multilabel ner qa choice
  std::string glue = {};                  // a GLUE task, which says columns, labels and metrics
  std::vector<std::string> columns = {};  // the file has no header, and these are its columns
  std::string text_column = {}, pair_column = {}, label_column = {}, label_separator = {};
  std::vector<std::string> labels = {};  // in the order of their ids; empty: from the training file
  std::string class_weights = {};        // "balanced", or "a=2,b=1"
  double label_smoothing = 0, focal_gamma = 0;
  // 0: 128, for questions 384, or as many positions as the model has, if fewer
  int64_t max_seq_length = 0;
  std::string long_texts = "head";  // what is kept of a longer text: head tail head-tail windows

  int64_t doc_stride = 128;                // questions, and windows of long texts
  std::string stride_meaning = "overlap";  // overlap (Hugging Face) or step (Google)
  int64_t max_query_length = 64, max_answer_length = 30, n_best_size = 20;
  // SQuAD 2.0; on by itself where a file has unanswerable questions
  bool version_2_with_negative = false;
  // given; otherwise the best for the file that is evaluated
  std::optional<double> null_score_diff_threshold = {};
  bool strict_entities = false, label_all_tokens = false;
};

// prediction: labels are not read and need not be there
enum class TaskUse { training, validation, prediction };

// max_seq_length, or what it is where it is not given.
int64_t sequence_length(const TaskOptions& options, const BertConfig& config);

class Task {
 public:
  // An Error where an option does not suit the kind, or the model, whose `config` says how many
  // positions it has.
  static std::unique_ptr<Task> make(TaskOptions options, const Tokenizer& tokenizer,
                                    const BertConfig& config);
  virtual ~Task() = default;

  virtual BertHead head() const = 0;
  virtual std::unique_ptr<TaskSet> read(const std::filesystem::path& path,
                                        // training comes first, where labels are to be found
                                        TaskUse use) = 0;
  // For prediction: a function that gives the file ("-": standard input) in parts of some hundred
  // examples, and null at its end.
  virtual std::function<std::unique_ptr<TaskSet>()> stream(const std::filesystem::path& path);
  virtual void configure(BertConfig& config) const = 0;  // id2label, problem_type
  // For people: labels and how often each occurs.
  virtual std::string describe(const TaskSet& training, const TaskSet* validation) const = 0;
};

// How a fine-tuned folder's config.json says what it is for: kind and labels. An Error where it is
// not fine-tuned.
TaskOptions task_of(const BertConfig& config, const std::string& origin);

// The logits of all units, run in batches of similar length; between_batches may throw.
std::vector<UnitLogits> run_task(const BertForTask& model, const TaskSet& set,
                                 int64_t batch_tokens = 8192,
                                 const std::function<void()>& between_batches = {});

}  // namespace gradus
