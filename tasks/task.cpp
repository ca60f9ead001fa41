#include "gradus/tasks/task.h"

#include <algorithm>

#include "gradus/autograd/modes.h"
#include "gradus/base/range.h"
#include "gradus/models/embedding.h"
#include "gradus/tasks/labels.h"

namespace gradus {

std::unique_ptr<Task> Task::make(TaskOptions options, const Tokenizer& tokenizer,
                                 const BertConfig& config) {
  options.max_seq_length = sequence_length(options, config);
  if (options.max_seq_length > config.max_position_embeddings)
    fail(
        "options.max_seq_length {} is more than the model's {} positions (max_position_embeddings)",
        options.max_seq_length, config.max_position_embeddings);
  if (options.max_seq_length < 4)
    fail("options.max_seq_length {}: it must be at least 4", options.max_seq_length);
  // also what this kind does not read: a slip is a slip
  const QuestionTaskOptions& question = options.question;
  check_count("options.doc_stride", options.doc_stride, 0);
  check_count("options.max_query_length", question.max_query_length, 0);
  check_count("options.max_answer_length", question.max_answer_length, 1);
  check_count("options.n_best_size", question.n_best_size, 1);
  check_range("options.null_score_diff_threshold", question.null_score_diff_threshold, {});
  return task_kind(options.kind).make(options, tokenizer);
}

std::function<std::unique_ptr<TaskSet>()> Task::stream(const std::filesystem::path& path) {
  auto whole = std::make_shared<std::unique_ptr<TaskSet>>(read(path, TaskUse::prediction));
  return [whole] { return std::move(*whole); };
}

std::string Task::describe(const TaskSet& training, const TaskSet* validation) const {
  std::string text;
  if (const auto counts = training.label_counts(); !counts.empty())
    text = label_distribution(LabelTable(labels()), counts,
                              validation ? validation->label_counts() : std::vector<int64_t>{});
  return text + training.describe() + (validation ? validation->describe() : "");
}

std::vector<UnitLogits> run_task(const BertForTask& model, const TaskSet& set, int64_t batch_tokens,
                                 const std::function<void()>& between_batches) {
  const NoGrad no_grad;
  const detail::Switch<&Modes::training> not_training(false);
  constexpr int64_t kAtOnce = 8192;  // units encoded at a time
  std::vector<UnitLogits> result(static_cast<size_t>(set.size()));
  for (int64_t begin = 0; begin < set.size(); begin += kAtOnce) {
    std::vector<Sequence> sequences;
    std::vector<std::pair<size_t, size_t>> parts;  // of each unit: its sequences
    for (int64_t unit = begin; unit < std::min(begin + kAtOnce, set.size()); ++unit) {
      const size_t from = sequences.size();
      for (Sequence& sequence : set.sequences(unit)) sequences.push_back(std::move(sequence));
      parts.emplace_back(from, sequences.size());
    }
    std::vector<UnitLogits> each(sequences.size());
    for_each_batch(model.bert.config, sequences, batch_tokens,
                   [&](const BertInput& batch, const std::vector<size_t>& rows) {
                     if (between_batches) between_batches();
                     const Tensor logits = model(batch);
                     const std::vector<float> values = logits.to_vector<float>();
                     const int64_t columns = logits.size(1);
                     const bool by_token = model.by_token();
                     for (size_t i = 0; i < rows.size(); ++i) {
                       const auto s = static_cast<int64_t>(i);
                       const int64_t first = by_token ? batch.sequences.begin(s) : s,
                                     last = by_token ? batch.sequences.end(s) : s + 1;
                       each[rows[i]].assign(values.begin() + first * columns,
                                            values.begin() + last * columns);
                     }
                   });
    for (size_t u = 0; u < parts.size(); ++u)
      for (size_t s = parts[u].first; s < parts[u].second; ++s) {
        UnitLogits& unit = result[static_cast<size_t>(begin) + u];
        unit.insert(unit.end(), each[s].begin(), each[s].end());
      }
  }
  return result;
}

}  // namespace gradus
