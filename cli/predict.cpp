// gradus predict: answers of a fine-tuned model, a line of JSON an example, in the order of the file.
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/file.h"
#include "cli/task_options.h"
#include "train/finetune.h"

namespace gradus::cli {

void add_predict(CLI::App& app) {
  struct Options {
    std::string model, file = "-", out;
    TaskOptions task;
    int64_t max_tokens = 8192;
    bool untrained_head = false;
  };
  auto o = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("predict", "answers of a fine-tuned model: JSON lines, in the order of the input");
  verb->add_option("--model", o->model, "a fine-tuned folder")->required();
  verb->add_option("FILE", o->file, "as for finetune, labels not needed; -: a text a line from standard input")->capture_default_str();
  verb->add_option("--out", o->out, "a file; default: standard output");
  verb->add_option("--max-tokens", o->max_tokens, "run at once")->capture_default_str();
  verb->add_flag("--untrained-head", o->untrained_head, "go on where the head was never trained");
  add_reading_options(verb, o->task);
  verb->footer("Example: echo 'a gorgeous, witty film' | gradus predict --model runs/sst2");
  verb->callback([o] {
    const FinetunedModel tuned(o->model, o->untrained_head);
    o->task.kind = tuned.task.kind;
    o->task.labels = tuned.task.labels;
    const auto task = Task::make(o->task, tuned.tokenizer, tuned.config);
    const auto next = task->stream(o->file);
    std::optional<FileWriter> file;
    if (!o->out.empty()) file.emplace(o->out);
    int64_t first = 0;
    while (const auto set = next()) {
      fmt::print(stderr, "{}", set->notes());
      std::ostringstream lines;
      set->write_predictions(run_task(tuned.model, *set, o->max_tokens), lines, first);
      first += set->examples();
      if (file) file->write(lines.str());
      else std::cout << lines.str() << std::flush;
    }
    if (file) file->commit();
  });
}

}  // namespace gradus::cli
