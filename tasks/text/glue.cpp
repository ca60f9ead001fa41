#include "gradus/tasks/text/glue.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "gradus/base/error.h"

namespace gradus {

const std::vector<GlueTask>& glue_tasks() {
  using M = GlueMetrics;
  static const std::vector<std::string> binary{"0", "1"}, dev{"dev.tsv"}, test{"test.tsv"};
  static const std::vector<GlueTask> tasks{
      {"cola",
       {"sentence", "", "label"},
       {"source", "label", "star", "sentence"},
       {"unacceptable", "acceptable"},
       binary,
       M::matthews,
       dev,
       test},
      {"sst2",
       {"sentence", "", "label"},
       {},
       {"negative", "positive"},
       binary,
       M::accuracy,
       dev,
       test},
      {"mrpc",
       {"#1 String", "#2 String", "Quality"},
       {},
       {"not_equivalent", "equivalent"},
       binary,
       M::accuracy_f1,
       dev,
       test},
      {"stsb", {"sentence1", "sentence2", "score"}, {}, {}, {}, M::correlation, dev, test},
      {"qqp",
       {"question1", "question2", "is_duplicate"},
       {},
       {"not_duplicate", "duplicate"},
       binary,
       M::accuracy_f1,
       dev,
       test,
       true},
      {"mnli",
       {"sentence1", "sentence2", "gold_label"},
       {},
       {"entailment", "neutral", "contradiction"},
       {},
       M::accuracy,
       {"dev_matched.tsv", "dev_mismatched.tsv"},
       {"test_matched.tsv", "test_mismatched.tsv"}},
      {"qnli",
       {"question", "sentence", "label"},
       {},
       {"entailment", "not_entailment"},
       {},
       M::accuracy,
       dev,
       test},
      {"rte",
       {"sentence1", "sentence2", "label"},
       {},
       {"entailment", "not_entailment"},
       {},
       M::accuracy,
       dev,
       test},
      {"wnli",
       {"sentence1", "sentence2", "label"},
       {},
       {"not_entailment", "entailment"},
       binary,
       M::accuracy,
       dev,
       test}};
  return tasks;
}

const GlueTask& glue_task(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& task : glue_tasks()) {
    if (task.name == name) return task;
    names.push_back(task.name);
  }
  fail("there is no GLUE task '{}'; the tasks are: {}", name, fmt::join(names, ", "));
}

TextOptions glue_options(const GlueTask& task, bool test) {
  TextOptions options;
  options.table = {TableFormat::tsv, test ? std::vector<std::string>{} : task.headerless,
                   task.skip_ragged};
  options.columns = task.columns;
  options.labels = test ? LabelKind::none : LabelKind::one;
  for (size_t i = 0; i < task.codes.size(); ++i) options.names[task.codes[i]] = task.labels[i];
  return options;
}

}  // namespace gradus
