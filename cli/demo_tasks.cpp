#include "gradus/cli/demo_tasks.h"

#include <algorithm>
#include <cmath>

#include "gradus/cli/cli.h"
#include "gradus/story/tasks/tasks.h"
#include "gradus/train/finetune.h"
#include "gradus/train/progress.h"

namespace gradus::cli {
namespace {

struct DemoTask {
  const char *name, *kind, *about;
  int64_t steps;  // of 32 examples
  double learning_rate;
};

constexpr DemoTask demo_tasks[] = {
    {"sentiment", "classify", "is the feeling good or bad?", 300, 5e-4},
    {"entailment", "classify", "does the second sentence follow?", 800, 5e-4},
    {"similarity", "regress", "how much do two sentences agree?", 200, 5e-4},
    {"topics", "multilabel", "which of ten topics are told of?", 150, 1e-3},
    {"entities", "ner", "which words are names, and of what?", 60, 5e-4},
    {"questions", "qa", "which words answer the question, if any do?", 700, 5e-4},
    {"endings", "choice", "which of four endings is right?", 300, 5e-4},
};

}  // namespace

void run_demo_tasks(const std::filesystem::path& folder, uint64_t seed, story::World world) {
  const std::filesystem::path sets = folder / "tasks";
  std::filesystem::create_directories(sets);
  story::write_tasks(sets, {.train = 16000, .seed = seed, .world = world});
  fmt::print("   {:<11} {:<12} {:<5} {:<24}  the best reachable is 1 everywhere\n", "task", "score",
             "", "");
  for (const DemoTask& task : demo_tasks) {
    std::string ending;
    for (const story::StoryTask& t : story::tasks())
      if (t.name == task.name) ending = t.ending;
    FinetuneOptions o;
    o.model = folder / "model";
    o.out = sets / task.name;
    o.train = sets / fmt::format("{}.train.{}", task.name, ending);
    o.validation = sets / fmt::format("{}.validation.{}", task.name, ending);
    o.overwrite = o.overwrite_better = o.quiet = true;
    o.task.kind = task.kind;
    o.max_steps = task.steps;
    o.learning_rate = task.learning_rate;
    o.eval_steps = task.steps;  // once, at the end
    o.dropout = 0.0;
    o.seed = seed;
    if (o.task.kind == "regress") o.task.text.label_column = "score";
    const FinetuneResult result = finetune(o);
    end_if_stopped(result.stopped_by,
                   fmt::format("step {} of the task {}", result.steps, task.name));
    // SQuAD's are in percent
    const double score = result.score() / (o.task.kind == "qa" ? 100 : 1);
    const std::string bar(static_cast<size_t>(std::lround(24 * std::clamp(score, 0.0, 1.0))), '#');
    fmt::print("   {:<11} {:<12} {:.3f} {:<24}  {} ({})\n", task.name,
               result.evaluation.metrics.front().first, score, bar, task.about,
               format_duration(result.seconds + result.eval_seconds));
    std::fflush(stdout);
  }
}

}  // namespace gradus::cli
