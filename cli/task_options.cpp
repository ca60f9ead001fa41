#include "cli/task_options.h"

namespace gradus::cli {

void add_reading_options(CLI::App* verb, TaskOptions& o) {
  CLI::Option_group* reading = verb->add_option_group("Reading");
  reading->add_option("--task", o.glue, "a GLUE task's columns, labels, metrics: cola sst2 mrpc stsb qqp mnli qnli rte wnli");
  reading->add_option("--columns", o.columns, "names, comma-separated, of a file without a header")->delimiter(',');
  reading->add_option("--text-column", o.text_column, "default: sentence, text, sentence1 …");
  reading->add_option("--pair-column", o.pair_column, "of the second text");
  reading->add_option("--label-column", o.label_column, "default: label");
  reading->add_option("--label-separator", o.label_separator, "of many labels in a cell (multilabel)");
  reading->add_option("--max-seq-length", o.max_seq_length, "tokens; default 128, qa 384");
  reading->add_option("--long", o.long_texts, "of longer texts: head tail head-tail windows")->capture_default_str();
  reading->add_option("--doc-stride", o.doc_stride, "of windows")->capture_default_str();
  reading->add_option("--stride-meaning", o.stride_meaning, "overlap, or step (Google's)")->capture_default_str();
}

void add_answering_options(CLI::App* verb, TaskOptions& o) {
  CLI::Option_group* answers = verb->add_option_group("Questions and names");
  answers->add_option("--max-query-length", o.max_query_length)->capture_default_str();
  answers->add_option("--max-answer-length", o.max_answer_length)->capture_default_str();
  answers->add_option("--n-best-size", o.n_best_size)->capture_default_str();
  answers->add_flag("--version-2-with-negative", o.version_2_with_negative, "questions may have no answer");
  answers->add_option("--null-score-diff-threshold", o.null_score_diff_threshold, "default: the best for the file");
  answers->add_flag("--strict-entities", o.strict_entities, "count entities as the tagging scheme demands");
}

}  // namespace gradus::cli
