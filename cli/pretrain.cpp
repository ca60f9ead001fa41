// gradus pretrain: from a corpus file to a Hugging Face folder.
#include "gradus/train/pretrain.h"

#include <fmt/ranges.h>

#include "gradus/cli/cli.h"
#include "gradus/train/progress.h"

namespace gradus::cli {

void add_pretrain(CLI::App& app) {
  auto o = std::make_shared<PretrainOptions>();
  CLI::App* verb = app.add_subcommand(
      "pretrain", "train a BERT (masked language model and next sentence) on a corpus file");
  verb->add_option("--data", o->data, "corpus file, from `gradus data build`")->required();
  verb->add_option("--out", o->out, "folder for the model and its metrics")->required();
  verb->add_flag("--overwrite", o->overwrite, "write into a folder that is not empty");
  verb->add_option("--model", o->model, "tiny mini small medium base large, or a config.json")
      ->capture_default_str();
  verb->add_option("--init", o->init, "start from this model folder instead of random values");
  CLI::Option_group* length = verb->add_option_group("How long");
  length->add_option("--max-steps", o->max_steps);
  length->add_option("--epochs", o->epochs)->capture_default_str();
  length->add_option("--max-minutes", o->max_minutes,
                     "of training; alone it also sets the schedule, by the clock");
  CLI::Option_group* batch = verb->add_option_group("Batches");
  batch->add_option("--batch-size", o->batch_size, "sequences")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  batch->add_option("--gradient-accumulation-steps", o->gradient_accumulation_steps)
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  batch->add_option("--max-seq-length", o->max_seq_length)->capture_default_str();
  batch->add_option("--masked-lm-prob", o->instances.masked_lm_prob)->capture_default_str();
  batch->add_option("--max-predictions-per-seq", o->instances.max_predictions_per_seq)
      ->capture_default_str();
  batch->add_option("--short-seq-prob", o->instances.short_seq_prob)->capture_default_str();
  batch->add_flag("--whole-word-mask", o->instances.whole_word_mask);
  batch->add_flag("!--no-next-sentence", o->instances.next_sentence,
                  "whole sentences instead of pairs, no next-sentence loss");
  CLI::Option_group* rate = verb->add_option_group("Optimizer");
  rate->add_option("--learning-rate", o->learning_rate)->capture_default_str();
  rate->add_option("--warmup-steps", o->warmup, "below 1: a share of the steps")
      ->capture_default_str();
  rate->add_option("--schedule", o->schedule, "linear constant cosine google")
      ->capture_default_str();
  rate->add_option("--optimizer", o->optimizer,
                   fmt::format("{}", fmt::join(optimizer_names(), " ")))
      ->capture_default_str();
  rate->add_option("--weight-decay", o->weight_decay)->capture_default_str();
  rate->add_option("--max-grad-norm", o->max_grad_norm)->capture_default_str();
  rate->add_option("--dropout", o->dropout, "both kinds; default: the configuration's (0.1)");
  rate->add_option("--initialization", o->initialization,
                   "hugging_face google mimetic (for small models)")
      ->capture_default_str();
  rate->add_option("--seed", o->seed)->capture_default_str();
  CLI::Option_group* watch = verb->add_option_group("Watching");
  watch->add_option("--eval-steps", o->eval_steps, "default: ten times a run");
  watch->add_option("--eval-instances", o->eval_instances, "held-out instances; 0: all")
      ->capture_default_str();
  watch->add_option("--logging-steps", o->logging_steps)
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  verb->footer(
      "Example: gradus pretrain --data novels.gds --model tiny --max-steps 5000 --learning-rate "
      "2e-3 --out runs/tiny");
  verb->callback([o] {
    fmt::print("reading {}\n", o->data.string());
    std::fflush(stdout);
    const PretrainResult result = pretrain(*o);
    fmt::print(
        "{} steps, {:.2f} M tokens in {}, share {:.2f} of the sgemm rate. The model is in {}\n",
        result.steps, static_cast<double>(result.tokens) / 1e6, format_duration(result.seconds),
        result.sgemm_share, o->out.string());
  });
}

}  // namespace gradus::cli
