// qa: the span of a context that answers a question. Units are windows over contexts; a question's
// answer is decoded over all its windows.
//
// A set is scored and decoded as SQuAD 2.0, where "no answer" is an answer, if it has unanswerable
// questions or options.version_2_with_negative or a null threshold is given.
#pragma once

#include "gradus/tasks/common.h"
#include "gradus/tasks/question/decode.h"
#include "gradus/tasks/question/metrics.h"

namespace gradus {

class QuestionTaskSet : public TaskSet {
 public:
  QuestionTaskSet(const TaskOptions& options, const Tokenizer& tokenizer, QaSet read, TaskUse use);

  int64_t size() const override { return static_cast<int64_t>(features_.windows().size()); }
  int64_t examples() const override { return static_cast<int64_t>(set_.questions.size()); }
  std::vector<Sequence> sequences(int64_t unit) const override {
    return {features_.sequence(window(unit))};
  }
  Targets targets(std::span<const int64_t> units) const override;
  Evaluation evaluate(const std::vector<UnitLogits>& logits) const override;
  void write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                         int64_t first) const override;
  void write_files(const std::vector<UnitLogits>& logits,
                   const std::filesystem::path& folder) const override;
  std::string describe() const override;
  std::string notes() const override;

 private:
  const QaWindow& window(int64_t unit) const {
    return features_.windows()[static_cast<size_t>(unit)];
  }
  bool has_impossible() const;
  std::vector<QaPrediction> decode(const std::vector<UnitLogits>& logits) const;
  double null_threshold(const std::vector<QaPrediction>& predictions) const;
  std::string worst(const Answers& answers) const;

  QuestionTaskOptions options_;
  TaskUse use_;
  QaSet set_;
  QaFeatures features_;
  bool impossible_;  // as SQuAD 2.0
};

}  // namespace gradus
