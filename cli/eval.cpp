// gradus eval: how good a fine-tuned model is on a labelled file, or a pretrained one on a text.

#include "gradus/base/json.h"
#include "gradus/cli/task_options.h"
#include "gradus/io/model_folder.h"
#include "gradus/train/corpus_loss.h"
#include "gradus/train/progress.h"

namespace gradus::cli {

namespace {

// How well a masked language model knows a text.
void measure_corpus(const AnswerOptions& o, CorpusLossOptions& corpus) {
  fmt::print("reading {}\n", o.model);
  std::fflush(stdout);
  BertForMaskedLM model(load_config(o.model));
  const auto list = parameters(model);
  load_parameters(o.model, list).require_trained("masked-language-model head");
  StageProgress progress;
  corpus.progress = [&](int64_t done, int64_t total) {
    progress.at("reading", static_cast<double>(done) / 1e6, static_cast<double>(total) / 1e6);
  };
  const CorpusLoss loss = corpus_loss(model, load_tokenizer(o.model), corpus);
  progress.end();
  fmt::print(
      "loss {:.3f}  accuracy {:.3f}  bits per character {:.3f}\n{} hidden words, {} tokens, {} "
      "characters{}\n",
      loss.loss, loss.accuracy, loss.bits_per_character, loss.words, loss.tokens, loss.characters,
      loss.unknown ? fmt::format("; {} words were [UNK] and passed over", loss.unknown) : "");
  if (o.out.empty()) return;
  std::filesystem::create_directories(o.out);
  const nlohmann::ordered_json results{{"eval_masked_lm_loss", loss.loss},
                                       {"eval_masked_lm_accuracy", loss.accuracy},
                                       {"eval_bits_per_character", loss.bits_per_character},
                                       {"words", loss.words},
                                       {"tokens", loss.tokens},
                                       {"characters", loss.characters},
                                       {"unknown_words", loss.unknown}};
  write_file(std::filesystem::path(o.out) / "eval_results.json", results.dump(2) + "\n");
}

}  // namespace

void add_eval(Verb& program) {
  auto o = std::make_shared<AnswerOptions>();
  Verb verb = program.verb(
      "eval", "metrics of a fine-tuned model on a labelled file, of a pretrained one on a text");
  const Option file =
      add_answer_options(verb, *o, "labelled, as for finetune", "a folder for eval_results.json");
  auto corpus = std::make_shared<CorpusLossOptions>();
  verb.heading("A text instead of a labelled file");
  verb.option("--corpus", corpus->corpus,
              "text, JSON lines, folders, -: the loss of its hidden words, and bits per character, "
              "by which models of any vocabulary compare")
      .excludes(file);
  verb.option("--max-words", corpus->max_words, "hidden words after which it ends; 0: none")
      .not_negative();
  verb.footer(
      "Examples: gradus eval --model runs/sst2 --task sst2 dev.tsv\n"
      "          gradus eval --model runs/novels --corpus held-out.txt");
  verb.does([o, corpus] {
    if (!corpus->corpus.empty()) {
      corpus->max_seq_length = o->task.max_seq_length;
      if (!o->task.text.text_column.empty()) corpus->format.text_column = o->task.text.text_column;
      return measure_corpus(*o, *corpus);
    }
    check(!o->file.empty(), "FILE is missing: a labelled file, or --corpus TEXT");
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
