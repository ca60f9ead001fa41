// gradus finetune: a pretrained model learns a task from labelled files.
#include <cmath>
#include <numeric>

#include "gradus/base/json.h"
#include "gradus/cli/learning_options.h"
#include "gradus/cli/lists.h"
#include "gradus/cli/output.h"
#include "gradus/cli/task_options.h"
#include "gradus/train/finetune.h"
#include "gradus/train/finetuned_model.h"
#include "gradus/train/progress.h"

namespace gradus::cli {
namespace {

// "1..5", "1,2,7" or "3".
std::vector<uint64_t> parse_seeds(const std::string& text) {
  std::vector<uint64_t> seeds;
  for (const std::string& part : split(text, ',')) {
    const size_t dots = part.find("..");
    uint64_t first = 0, last = 0;
    if (!parse(part.substr(0, dots), first) ||
        !parse(dots == std::string::npos ? part : part.substr(dots + 2), last) || last < first)
      fail("--seeds {}: '{}' is not a number or a range like 1..5", text, part);
    for (uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
  }
  return seeds;
}

void run_once(const FinetuneOptions& o) {
  fmt::print("reading {}\n", o.train.string());
  std::fflush(stdout);
  const FinetuneResult result = finetune(o);
  if (!result.evaluation.metrics.empty())
    fmt::print("\n{}\nbest after step {}: {}\n", result.evaluation.tables, result.best_step,
               as_text(result.evaluation.metrics));
  fmt::print("{} steps, {} tokens in {} of training. The {} model {}\n", result.steps,
             result.tokens, format_duration(result.seconds),
             result.evaluation.metrics.empty() ? "last" : "best", place_of_model(result, o.out));
  end_if_stopped(result, o.out);
}

// The same run with several seeds: how much of a result is luck.
void run_seeds(const FinetuneOptions& o, const std::vector<uint64_t>& seeds) {
  check(!o.validation.empty(), "--seeds compares runs on a validation file; give --validation");
  make_output_folder(o.out, o.overwrite || o.resume);
  std::vector<double> scores;
  std::string name, degenerate;
  for (const uint64_t seed : seeds) {
    FinetuneOptions one = o;
    one.seed = seed;
    one.out = o.out / fmt::format("seed-{}", seed);
    fmt::print("seed {}\n", seed);
    const FinetuneResult result = finetune(one);
    end_if_stopped(result.stopped_by,
                   fmt::format("step {} of seed {}; later seeds were not run", result.steps, seed));
    scores.push_back(result.score());
    name = result.evaluation.metrics.front().first;
    // Devlin et al. 2018, section 4.1 and Mosbach et al. 2021: some runs on small sets never leave
    // the constant answer.
    if (result.evaluation.larger_is_better && scores.back() <= result.evaluation.constant + 1e-9)
      degenerate += fmt::format(" {}", seed);
  }
  const auto count = static_cast<double>(scores.size());
  const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / count;
  double squares = 0;
  nlohmann::ordered_json json{
      {"metric", name}, {"seeds", seeds}, {"scores", scores}, {"mean", mean}};
  fmt::print("\nseed    {}\n", name);
  for (size_t i = 0; i < seeds.size(); ++i) {
    squares += std::pow(scores[i] - mean, 2);
    fmt::print("{:<7} {:.4f}\n", seeds[i], scores[i]);
  }
  const double deviation = count > 1 ? std::sqrt(squares / (count - 1)) : 0;
  json["standard_deviation"] = deviation;
  write_file(o.out / "all_results.json", json.dump(2) + "\n");
  fmt::print("mean    {:.4f} ± {:.4f} (standard deviation, {} runs)\n", mean, deviation,
             scores.size());
  if (!degenerate.empty())
    fmt::print(
        "degenerate: seed{} ended at the answer that looks at no text; try a smaller learning "
        "rate, more steps or a longer warm-up\n",
        degenerate);
}

void add_kind(Verb& finetune, const TaskKind& kind) {
  auto o = std::make_shared<FinetuneOptions>();
  auto seeds = std::make_shared<std::string>();
  o->task.kind = kind.name;
  Verb verb = finetune.verb(kind.name, kind.about);
  verb.option("--model", o->model, "a pretrained folder or checkpoint").required();
  verb.option("--train", o->train, kind.files).required();
  verb.option("--validation", o->validation, "the best model on it is kept");
  verb.option("--out", o->out, "folder for the model and its metrics").required();
  verb.flag("--overwrite", o->overwrite, "write into a folder that is not empty");
  add_reading_options(verb, o->task, kind);
  // a help that fits a screen: the rest is in docs/fine-tuning.md
  verb.heading("How long");
  verb.hide_help();
  verb.option("--epochs", o->epochs);
  verb.option("--max-steps", o->max_steps);
  verb.option("--batch-size", o->batch_size, "examples a step");
  verb.option("--max-tokens", o->max_tokens, "run at once; memory follows it").hidden();
  verb.option("--max-train-examples", o->max_train_examples).hidden();
  verb.option("--eval-steps", o->eval_steps, "default: each epoch");
  verb.option("--patience", o->patience, "evaluations without a better model before it stops");
  verb.flag("!--no-shuffle", o->shuffle, "keep the file's order").hidden();
  verb.heading("Learning");
  add_learning_options(verb, *o);
  add_distillation_options(verb, o->distillation);
  verb.option("--layer-decay", o->layer_decay, "of the rate, layer by layer down").hidden();
  verb.option("--freeze", o->freeze, "patterns of names, e.g. 'bert.embeddings.*'").hidden();
  verb.option("--reinit-layers", o->reinit_layers, "top layers that begin anew").hidden();
  verb.flag("--random-init", o->random_init, "the model's architecture only, for comparison")
      .hidden();
  verb.option("--lora-rank", o->lora_rank, "train adapters of this rank, and the head");
  verb.option("--lora-alpha", o->lora_alpha).hidden();
  verb.option("--lora-targets", o->lora_targets).hidden();
  verb.flag("--merge-lora", o->merge_lora).hidden();
  verb.option("--seeds", *seeds, "several runs, 1..5: mean and deviation");
  verb.heading("Loss");
  add_options(verb, kind.options(o->task).loss);
  const auto read_run_options = add_run_options(verb, *o);
  verb.footer(
      fmt::format("Example: {}\nFurther options (adapters, renewed layers, …): "
                  "docs/fine-tuning.md",
                  kind.example));
  verb.does([o, seeds, read_run_options] {
    forgive_output();
    read_run_options();
    if (seeds->empty()) run_once(*o);
    else run_seeds(*o, parse_seeds(*seeds));
  });
}

}  // namespace

void add_finetune(Verb& program) {
  Verb verb = program.verb("finetune", "a pretrained model learns a task from labelled files");
  for (const TaskKind& kind : task_kinds()) add_kind(verb, kind);
  verb.footer(
      "Each kind has --help. Example: gradus finetune classify --task sst2 --model minilm --train "
      "train.tsv --validation dev.tsv --out "
      "runs/sst2");
}

}  // namespace gradus::cli
