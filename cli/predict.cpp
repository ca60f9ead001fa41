// gradus predict: answers of a fine-tuned model, a line of JSON an example, in the order of the
// file.
#include <sstream>

#include "gradus/base/file.h"
#include "gradus/cli/output.h"
#include "gradus/cli/task_options.h"

namespace gradus::cli {

void add_predict(Verb& program) {
  auto o = std::make_shared<AnswerOptions>();
  Verb verb = program.verb("predict",
                           "answers of a fine-tuned model: JSON lines, in the order of the input");
  o->file = "-";
  add_answer_options(
      verb, *o, "as for finetune, labels not needed; default: a text a line from standard input",
      "a file; default: standard output");
  verb.flag("--overwrite", o->overwrite, "in place of an --out that is there");
  verb.footer("Example: echo 'a gorgeous, witty film' | gradus predict --model runs/sst2");
  verb.does([o] {
    check_output(o->out, o->overwrite, {o->file});
    const FinetunedModel tuned(o->model, o->untrained_head);
    const auto task = make_task(tuned, *o);
    const auto next = task->stream(o->file);
    std::optional<FileWriter> file;
    if (!o->out.empty()) file.emplace(o->out);
    int64_t first = 0;
    while (const auto set = next()) {
      fmt::print(stderr, "{}", set->notes());
      std::ostringstream lines;
      set->write_predictions(run_task(tuned.model, *set, o->max_tokens), lines, first);
      first += set->examples();
      if (file) {
        file->write(lines.str());
        file->flush();
      } else {
        fmt::print("{}", lines.str());
        std::fflush(stdout);
      }
    }
    if (file) file->commit();
  });
}

}  // namespace gradus::cli
