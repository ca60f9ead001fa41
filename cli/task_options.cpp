#include "gradus/cli/task_options.h"

namespace gradus::cli {

void add_reading_options(CLI::App* verb, TaskOptions& o, const std::string& kind) {
  const bool any = kind.empty(),
             texts = any || kind == "classify" || kind == "regress" || kind == "multilabel",
             windows = any || texts || kind == "qa" || kind == "ner";
  const char* group = "Reading";
  if (any || kind == "classify" || kind == "regress")
    verb->add_option(
            "--task", o.glue,
            "a GLUE task's columns, labels, metrics: cola sst2 mrpc stsb qqp mnli qnli rte wnli")
        ->group(group);
  if (texts) {
    verb->add_option("--columns", o.columns, "names, comma-separated, of a file without a header")
        ->delimiter(',')
        ->group(group);
    verb->add_option("--text-column", o.text_column, "default: sentence, text, sentence1 …")
        ->group(group);
    verb->add_option("--pair-column", o.pair_column, "of the second text")->group(group);
    verb->add_option("--label-column", o.label_column, "default: label")->group(group);
  }
  if (any || kind == "multilabel")
    verb->add_option("--label-separator", o.label_separator, "of many labels in a cell")
        ->group(group);
  verb->add_option("--max-seq-length", o.max_seq_length, "tokens; default 128, qa 384")
      ->group(group);
  if (texts)
    verb->add_option("--long", o.long_texts, "of longer texts: head tail head-tail windows")
        ->capture_default_str()
        ->group(group);
  if (windows)
    verb->add_option("--doc-stride", o.doc_stride, "of windows")
        ->capture_default_str()
        ->group(group);
  if (any || kind == "qa") {
    verb->add_option("--stride-meaning", o.stride_meaning, "overlap, or step (Google's)")
        ->capture_default_str()
        ->group(group);
    verb->add_option("--max-query-length", o.max_query_length)->capture_default_str()->group(group);
    verb->add_option("--max-answer-length", o.max_answer_length)
        ->capture_default_str()
        ->group(group);
    verb->add_option("--n-best-size", o.n_best_size)->capture_default_str()->group(group);
    verb->add_flag("--version-2-with-negative", o.version_2_with_negative,
                   "questions may have no answer")
        ->group(group);
    verb->add_option("--null-score-diff-threshold", o.null_score_diff_threshold,
                     "default: the best for the file")
        ->group(group);
  }
  if (any || kind == "ner")
    verb->add_flag("--strict-entities", o.strict_entities,
                   "count entities as the tagging scheme demands")
        ->group(group);
}

void add_answer_options(CLI::App* verb, AnswerOptions& o, const std::string& file,
                        const std::string& out) {
  verb->add_option("--model", o.model, "a fine-tuned folder")->required();
  verb->add_option("FILE", o.file, file);
  verb->add_option("--out", o.out, out);
  verb->add_option("--max-tokens", o.max_tokens, "run at once")->capture_default_str();
  verb->add_flag("--untrained-head", o.untrained_head, "go on where the head was never trained");
  add_reading_options(verb, o.task);
}

std::unique_ptr<Task> make_task(const FinetunedModel& tuned, const AnswerOptions& o) {
  TaskOptions options = o.task;
  options.kind = tuned.task.kind;
  options.labels = tuned.task.labels;
  return Task::make(options, tuned.tokenizer, tuned.config);
}

}  // namespace gradus::cli
