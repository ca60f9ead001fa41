// ner: a tag for every word. Long sentences are read in windows, and each word is judged where most
// is seen around it; its first piece carries its tag. To be predicted are columns of words, or
// plain text (.txt, standard input): a sentence a line, split into words here.
#pragma once

#include "gradus/data/line_reader.h"
#include "gradus/tasks/common.h"
#include "gradus/tasks/placed_words.h"
#include "gradus/tasks/tagging/features.h"

namespace gradus {

struct TaggingTask : Task {
  TaskOptions options;
  Tokenizer tokenizer;
  LabelTable table;
  CrossEntropyOptions loss;  // class weights alone

  TaggingTask(const TaskOptions& options, const Tokenizer& tokenizer);
  std::unique_ptr<TaskSet> read(const std::filesystem::path& path, TaskUse use) override;
  std::function<std::unique_ptr<TaskSet>()> stream(const std::filesystem::path& path) override;
  std::vector<std::string> labels() const override { return table.names(); }
  TagOptions windows() const;

 private:
  void set_table(LabelTable names);
  void require_table() const;
  std::unique_ptr<TaskSet> read_lines(LineReader& reader, size_t most) const;
  TagScheme scheme() const;
};

class TaggingTaskSet : public TaskSet {
 public:
  // written: of plain text the sentences as they were written, otherwise none.
  TaggingTaskSet(const TaggingTask& task, TaggedSet read, std::vector<PlacedWords> written,
                 bool labelled);

  int64_t size() const override { return static_cast<int64_t>(features_.windows().size()); }
  int64_t examples() const override { return static_cast<int64_t>(set_.sentences.size()); }
  std::vector<Sequence> sequences(int64_t unit) const override;
  Targets targets(std::span<const int64_t> units) const override;
  Evaluation evaluate(const std::vector<UnitLogits>& logits) const override;
  void write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                         int64_t first) const override;
  std::string describe() const override;
  std::string notes() const override;
  std::vector<int64_t> label_counts() const override { return count_tags(ids_, table_); }

 private:
  const TagWindow& window(int64_t unit) const {
    return features_.windows()[static_cast<size_t>(unit)];
  }
  std::optional<TagScheme> strict() const {
    return options_.tagging.strict_entities ? std::optional(set_.scheme) : std::nullopt;
  }
  std::vector<Entity> find(const Tags& tags) const {
    return strict() ? strict_entities(tags, *strict()) : entities(tags);
  }

  struct Tagged {
    Tags tags;
    std::vector<double> scores;  // the probability of each word's tag; 1 for a word without a token
  };
  std::vector<Tagged> tag(const std::vector<UnitLogits>& logits) const;
  double mean_loss(const std::vector<UnitLogits>& logits) const;

  TaskOptions options_;
  LabelTable table_;
  CrossEntropyOptions loss_;
  TaggedSet set_;
  std::vector<PlacedWords> lines_;
  // [sentences][words], none where labels were not asked for
  std::vector<std::vector<int32_t>> ids_;
  TagFeatures features_;
};

}  // namespace gradus
