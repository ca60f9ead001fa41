// gradus pretrain: from a corpus file to a Hugging Face folder.
#include "gradus/train/pretrain.h"

#include "gradus/cli/learning_options.h"
#include "gradus/cli/lists.h"
#include "gradus/cli/output.h"
#include "gradus/cli/recipes.h"
#include "gradus/train/curve.h"
#include "gradus/train/progress.h"

namespace gradus::cli {
namespace {

std::vector<Phase> parse_phases(const std::string& text) {
  std::vector<Phase> phases;
  for (const std::string& part : split(text, ',')) {
    const auto numbers = split(part, ':');
    Phase phase{};
    check(numbers.size() == 2 && parse(numbers[0], phase.max_seq_length) &&
              parse(numbers[1], phase.share),
          "--phases {}: it is LENGTH:SHARE,LENGTH:SHARE,…, as 64:0.6,128:0.4", text);
    phases.push_back(phase);
  }
  return phases;
}

// Says what it sets: an option that was given counts more.
// has_init: the folder that the run goes on from says what the model is.
void follow(Verb& verb, const Recipe& recipe, bool has_init) {
  fmt::print("recipe {}, {}:\n ", recipe.name, recipe.about);
  for (const auto& [name, value] : recipe.options)
    if (!(has_init && (name == "--model" || name == "--initialization")) && verb.give(name, value))
      fmt::print(" {} {}", name, value);
  fmt::print("\n");
}

// The options that say what a run is, of pretrain and estimate. What it returns is called before
// the run: it follows the recipe.
std::function<void()> add_plan(Verb& verb, const std::shared_ptr<PretrainOptions>& o) {
  const auto recipe = std::make_shared<std::string>();
  verb.option("--model", o->model,
              "tiny mini small medium base large, modern-tiny …, LAYERSxHIDDENxHEADS as 3x192x6, "
              "or a config.json");
  verb.option("--init", o->init, "start from this model folder instead of random values");
  verb.option("--recipe", *recipe, "bert (as published) or budget; options beside it count more");
  verb.heading("How long");
  verb.option("--max-steps", o->max_steps);
  verb.option("--epochs", o->epochs);
  verb.option("--max-minutes", o->max_minutes,
              "of training; alone it also sets the schedule, by the clock");
  verb.heading("Batches");
  verb.option(
      "--batch-size",
      [o](const std::string& text) {
        parse_range("--batch-size", text, o->batch_size, o->final_batch_size);
      },
      "32", "sequences; FROM:TO grows on the way");
  verb.option("--gradient-accumulation-steps", o->gradient_accumulation_steps).positive();
  verb.option("--data-parallel", o->data_parallel,
              "so many parts of a batch side by side, a thread each")
      .positive()
      .hidden();
  verb.option("--max-seq-length", o->max_seq_length);
  verb.option(
      "--phases", [o](const std::string& text) { o->phases = parse_phases(text); }, "",
      "LENGTH:SHARE,…: other lengths on the way");
  verb.option(
      "--masked-lm-prob",
      [o](const std::string& text) {
        parse_range("--masked-lm-prob", text, o->instances.masked_lm_prob, o->final_masked_lm_prob);
      },
      "0.15", "FROM:TO falls on the way");
  verb.option("--max-predictions-per-seq", o->instances.max_predictions_per_seq, "0: no limit");
  verb.option("--short-seq-prob", o->instances.short_seq_prob);
  verb.flag("--whole-word-mask", o->instances.whole_word_mask);
  verb.flag("--next-sentence,!--no-next-sentence", o->instances.next_sentence,
            "no: whole sentences instead of pairs, no next-sentence loss");
  verb.flag("--last-layer-where-asked,!--whole-last-layer", o->last_layer_where_asked,
            "compute it at the predicted tokens and, with pairs, at [CLS] alone")
      .hidden();
  verb.heading("Optimizer");
  add_learning_options(verb, *o);
  verb.option("--initialization", o->initialization,
              "counts (of the corpus) hugging_face google mimetic");
  add_distillation_options(verb, o->distillation);
  verb.heading("Watching");
  verb.option("--eval-steps", o->eval_steps, "default: ten times a run");
  verb.option("--eval-instances", o->eval_instances, "held-out instances; 0: all");
  verb.option("--watch-masks", o->watch_masks, "sentences with [MASK], filled at each evaluation");
  verb.option("--eval-masked-lm-prob", o->eval_masked_lm_prob, "of their tokens").hidden();
  return [verb, recipe, o]() mutable {
    if (!recipe->empty()) follow(verb, pretraining_recipe(*recipe), o->init.has_value());
  };
}

}  // namespace

void add_pretrain(Verb& program) {
  auto o = std::make_shared<PretrainOptions>();
  o->estimate_first = true;
  Verb verb = program.verb(
      "pretrain", "train a BERT (masked language model and next sentence) on a corpus file");
  verb.option("--data", o->data, "corpus file, from `gradus data build`").required();
  verb.option("--out", o->out, "folder for the model and its metrics").required();
  verb.flag("--overwrite", o->overwrite, "write into a folder that is not empty");
  const auto follow_recipe = add_plan(verb, o);
  const auto read_run_options = add_run_options(verb, *o);
  verb.footer("Example: gradus pretrain --data novels.gds --recipe budget --out runs/novels");
  verb.does([o, follow_recipe, read_run_options] {
    forgive_output();
    follow_recipe();
    read_run_options();
    fmt::print("reading {}\n", o->data.string());
    std::fflush(stdout);
    const PretrainResult result = pretrain(*o);
    fmt::print("{} steps, {:.2f} M tokens in {}, share {:.2f} of the sgemm rate. The model {}\n",
               result.steps, static_cast<double>(result.tokens) / 1e6,
               format_duration(result.seconds), result.sgemm_share, place_of_model(result, o->out));
    if (const std::string curve = curve_text(o->out / "metrics.jsonl"); !curve.empty())
      fmt::print("\n{}\nThe curve, and what the model said on the way: {}\n", curve,
                 (o->out / "curve.html").string());
    end_if_stopped(result, o->out);
  });
}

void add_estimate(Verb& program) {
  auto o = std::make_shared<PretrainOptions>();
  Verb verb = program.verb("estimate", "what a pretraining run will take, before anything runs");
  verb.option("--data", o->data, "corpus file, from `gradus data build`").required();
  const auto follow_recipe = add_plan(verb, o);
  verb.footer("Example: gradus estimate --data novels.gds --model mini --epochs 3");
  verb.does([o, follow_recipe] {
    follow_recipe();
    fmt::print("{}\n", estimate(*o).to_text());
  });
}

}  // namespace gradus::cli
