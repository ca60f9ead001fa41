// gradus eval: how good a fine-tuned model is on a labelled file.
#include <nlohmann/json.hpp>

#include "cli/task_options.h"
#include "train/finetune.h"

namespace gradus::cli {

void add_eval(CLI::App& app) {
  struct Options {
    std::string model, file, out;
    TaskOptions task;
    int64_t max_tokens = 8192;
    bool untrained_head = false;
  };
  auto o = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("eval", "metrics of a fine-tuned model on a labelled file");
  verb->add_option("--model", o->model, "a fine-tuned folder")->required();
  verb->add_option("FILE", o->file, "labelled, as for finetune")->required();
  verb->add_option("--out", o->out, "a folder for eval_results.json");
  verb->add_option("--max-tokens", o->max_tokens, "run at once")->capture_default_str();
  verb->add_flag("--untrained-head", o->untrained_head, "go on where the head was never trained");
  add_reading_options(verb, o->task);
  verb->footer("Example: gradus eval --model runs/sst2 --task sst2 dev.tsv");
  verb->callback([o] {
    fmt::print("reading {}\n", o->model);
    std::fflush(stdout);
    const FinetunedModel tuned(o->model, o->untrained_head);
    o->task.kind = tuned.task.kind;
    o->task.labels = tuned.task.labels;
    const auto task = Task::make(o->task, tuned.tokenizer, tuned.config);
    const auto set = task->read(o->file, TaskUse::validation);
    fmt::print("{}", set->notes());
    const std::vector<UnitLogits> logits = run_task(tuned.model, *set, o->max_tokens);
    const Evaluation evaluation = set->evaluate(logits);
    fmt::print("{}\n{} examples: {}\n", evaluation.tables, set->examples(), as_text(evaluation.metrics));
    if (o->out.empty()) return;
    std::filesystem::create_directories(o->out);
    write_file(std::filesystem::path(o->out) / "eval_results.json", as_json(evaluation.metrics).dump(2) + "\n");
    set->write_files(logits, o->out);
  });
}

}  // namespace gradus::cli
