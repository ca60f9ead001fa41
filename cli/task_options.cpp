#include "gradus/cli/task_options.h"

namespace gradus::cli {

void add_reading_options(Verb& verb, TaskOptions& o, const std::string& kind) {
  const bool any = kind.empty(),
             texts = any || kind == "classify" || kind == "regress" || kind == "multilabel",
             windows = any || texts || kind == "qa" || kind == "ner";
  verb.heading("Reading");
  if (any || kind == "classify" || kind == "regress")
    verb.option(
        "--task", o.glue,
        "a GLUE task's columns, labels, metrics: cola sst2 mrpc stsb qqp mnli qnli rte wnli");
  if (texts) {
    verb.option("--columns", o.columns, "names, comma-separated, of a file without a header")
        .separated_by(',');
    verb.option("--text-column", o.text_column, "default: sentence, text, sentence1 …");
    verb.option("--pair-column", o.pair_column, "of the second text");
    verb.option("--label-column", o.label_column, "default: label");
  }
  if (any || kind == "multilabel")
    verb.option("--label-separator", o.label_separator, "of many labels in a cell");
  verb.option("--max-seq-length", o.max_seq_length, "tokens; default 128, qa 384");
  if (texts) verb.option("--long", o.long_texts, "of longer texts: head tail head-tail windows");
  if (windows) verb.option("--doc-stride", o.doc_stride, "of windows");
  if (any || kind == "qa") {
    verb.option("--stride-meaning", o.stride_meaning, "overlap, or step (Google's)");
    verb.option("--max-query-length", o.max_query_length);
    verb.option("--max-answer-length", o.max_answer_length);
    verb.option("--n-best-size", o.n_best_size);
    verb.flag("--version-2-with-negative", o.version_2_with_negative,
              "questions may have no answer");
    verb.option("--null-score-diff-threshold", o.null_score_diff_threshold,
                "default: the best for the file");
  }
  if (any || kind == "ner")
    verb.flag("--strict-entities", o.strict_entities,
              "count entities as the tagging scheme demands");
}

Option add_answer_options(Verb& verb, AnswerOptions& o, const std::string& file,
                          const std::string& out) {
  verb.option("--model", o.model, "a fine-tuned folder").required();
  const Option read = verb.option("FILE", o.file, file);
  verb.option("--out", o.out, out);
  verb.option("--max-tokens", o.max_tokens, "run at once");
  verb.flag("--untrained-head", o.untrained_head, "go on where the head was never trained");
  add_reading_options(verb, o.task);
  return read;
}

std::unique_ptr<Task> make_task(const FinetunedModel& tuned, const AnswerOptions& o) {
  TaskOptions options = o.task;
  options.kind = tuned.task.kind;
  options.labels = tuned.task.labels;
  return Task::make(options, tuned.tokenizer, tuned.config);
}

}  // namespace gradus::cli
