#include "gradus/tasks/task.h"

#include <algorithm>

#include "gradus/autograd/modes.h"
#include "gradus/models/embedding.h"
#include "gradus/tasks/kinds.h"

namespace gradus {

int64_t sequence_length(const TaskOptions& options, const BertConfig& config) {
  if (options.max_seq_length != 0) return options.max_seq_length;
  return std::min<int64_t>(options.kind == "qa" ? 384 : 128, config.max_position_embeddings);
}

std::unique_ptr<Task> Task::make(TaskOptions options, const Tokenizer& tokenizer,
                                 const BertConfig& config) {
  const std::string& kind = options.kind;
  options.max_seq_length = sequence_length(options, config);
  if (options.max_seq_length > config.max_position_embeddings)
    fail(
        "options.max_seq_length {} is more than the model's {} positions (max_position_embeddings)",
        options.max_seq_length, config.max_position_embeddings);
  if (options.label_smoothing < 0 || options.label_smoothing >= 1)
    fail("options.label_smoothing {}: it must be in [0, 1)", options.label_smoothing);
  if (options.max_seq_length < 4)
    fail("options.max_seq_length {}: it must be at least 4", options.max_seq_length);
  check(options.glue.empty() || kind == "classify" || kind == "regress",
        "options.glue {} is for classify and regress, not for {}", options.glue, kind);
  if (kind == "classify" || kind == "regress" || kind == "multilabel")
    return make_text_task(options, tokenizer);
  if (kind == "ner") return make_tagging_task(options, tokenizer);
  if (kind == "qa") return make_question_task(options, tokenizer);
  if (kind == "choice") return make_choice_task(options, tokenizer);
  fail("no task is called '{}'; there are classify, regress, multilabel, ner, qa and choice", kind);
}

std::function<std::unique_ptr<TaskSet>()> Task::stream(const std::filesystem::path& path) {
  return [this, path, done = false]() mutable -> std::unique_ptr<TaskSet> {
    if (done) return nullptr;
    done = true;
    return read(path, TaskUse::prediction);
  };
}

TaskOptions task_of(const BertConfig& config, const std::string& origin) {
  TaskOptions options;
  const auto head =
      config.architectures.empty() ? std::nullopt : head_named(config.architectures[0]);
  if (!head || *head == BertHead::next_sentence)
    fail(
        "{}: it is not fine-tuned for a task (its architecture is {}); `gradus finetune` makes "
        "such folders",
        origin, config.architectures.empty() ? "not said" : config.architectures[0]);
  switch (*head) {
    case BertHead::token_classification: options.kind = "ner"; break;
    case BertHead::question_answering: options.kind = "qa"; break;
    case BertHead::multiple_choice: options.kind = "choice"; break;
    default:
      options.kind = "classify";
      if (config.problem_type == "multi_label_classification") options.kind = "multilabel";
      if (config.problem_type == "regression" ||
          (config.problem_type.empty() && config.num_labels() == 1))
        options.kind = "regress";
  }
  for (const auto& [id, name] : config.id2label) options.labels.push_back(name);
  // what transformers calls them
  if (options.labels.empty() && options.kind == "classify") options.labels = {"LABEL_0", "LABEL_1"};
  return options;
}

std::vector<UnitLogits> run_task(const BertForTask& model, const TaskSet& set, int64_t batch_tokens,
                                 const std::function<void()>& between_batches) {
  const NoGrad no_grad;
  const detail::Switch<&detail::Modes::training> not_training(false);
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
                     const bool by_token = !model.pooler;
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
