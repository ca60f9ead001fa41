// gradus eval: how good a fine-tuned model is on a labelled file.

#include "gradus/base/json.h"
#include "gradus/cli/task_options.h"

namespace gradus::cli {

void add_eval(Verb& program) {
  auto o = std::make_shared<AnswerOptions>();
  Verb verb = program.verb("eval", "metrics of a fine-tuned model on a labelled file");
  add_answer_options(verb, *o, "labelled, as for finetune", "a folder for eval_results.json")
      .required();
  verb.footer("Example: gradus eval --model runs/sst2 --task sst2 dev.tsv");
  verb.does([o] {
    fmt::print("reading {}\n", o->model);
    std::fflush(stdout);
    const FinetunedModel tuned(o->model, o->untrained_head);
    const auto task = make_task(tuned, *o);
    const auto set = task->read(o->file, TaskUse::validation);
    fmt::print("{}", set->notes());
    const std::vector<UnitLogits> logits = run_task(tuned.model, *set, o->max_tokens);
    const Evaluation evaluation = set->evaluate(logits);
    fmt::print("{}\n{} examples: {}\n", evaluation.tables, set->examples(),
               as_text(evaluation.metrics));
    if (o->out.empty()) return;
    std::filesystem::create_directories(o->out);
    write_file(std::filesystem::path(o->out) / "eval_results.json",
               as_json(evaluation.metrics).dump(2) + "\n");
    set->write_files(logits, o->out);
  });
}

}  // namespace gradus::cli
