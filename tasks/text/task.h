// What classify, regress and multilabel share: how a file of texts is read, encoded and cut. Each
// of them is a file beside this one: classify_task.cpp, regress_task.cpp, multilabel_task.cpp.
#pragma once

#include "gradus/tasks/common.h"
#include "gradus/tasks/long_text.h"
#include "gradus/tasks/text/glue.h"

namespace gradus {

struct TextTask : Task {
  // In what the three differ.
  struct Form {
    LabelKind labels;
    // What the training file says beside its texts: labels and their weights.
    void (*learn)(TextTask& task, const TextSet& training);
    std::unique_ptr<TaskSet> (*make_set)(const TextTask& task, TextSet texts, TaskUse use);
  };

  TaskOptions options;
  Tokenizer tokenizer;
  Form form;
  const GlueTask* glue;      // null: none
  LabelTable table;          // of regress empty
  CrossEntropyOptions loss;  // of classify

  TextTask(const TaskOptions& options, const Tokenizer& tokenizer, Form form);
  std::unique_ptr<TaskSet> read(const std::filesystem::path& path, TaskUse use) override;
  std::function<std::unique_ptr<TaskSet>()> stream(const std::filesystem::path& path) override;
  std::vector<std::string> labels() const override { return table.names(); }

 private:
  TextOptions reading(bool labelled) const;
};

class TextTaskSet : public TaskSet {
 public:
  TextTaskSet(const TextTask& task, TextSet read);

  int64_t size() const override { return static_cast<int64_t>(texts_.size()); }
  std::vector<Sequence> sequences(int64_t unit) const override {
    return texts_[static_cast<size_t>(unit)].sequences;
  }
  void write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                         int64_t first) const override;
  std::string notes() const override { return notes_; }

 protected:
  // What is said of a text with these logits: the fields of its line.
  virtual nlohmann::ordered_json answer(const UnitLogits& logits) const = 0;

  // Of texts in several windows `loss` gets the mean of their logits, as the answers do.
  using TextLoss = std::function<Tensor(const Tensor& logits, double denominator)>;
  Targets targets_of(std::span<const int64_t> units, std::vector<double> weights,
                     TextLoss loss) const;
  UnitLogits mean(const UnitLogits& logits) const;

  // The examples with the largest losses, and what `answer` says of them.
  std::string worst(const std::vector<double>& losses,
                    const std::function<std::string(size_t)>& answer) const;

  TextSet set_;
  LabelTable table_;
  const GlueTask* glue_;

 private:
  std::vector<FittedText> texts_;
  std::string notes_;
};

template <class Set>
std::unique_ptr<TaskSet> make_text_set(const TextTask& task, TextSet texts, TaskUse use) {
  return std::make_unique<Set>(task, std::move(texts), use);
}

// Labels are those of the task, or else those that occur.
void learn_labels(TextTask& task, const TextSet& training);

// By the names of the labels.
nlohmann::ordered_json named(const std::vector<double>& probabilities, const LabelTable& table);

// The reading options that the three share, behind the one that they do not.
std::vector<TaskOption> text_reading(TaskOptions& options, TaskOption own);
TaskOption glue_option(TaskOptions& options);

}  // namespace gradus
