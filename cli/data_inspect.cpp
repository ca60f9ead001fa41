// gradus data inspect: what a corpus file holds, and what a model will see of it.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "gradus/base/error.h"
#include "gradus/base/temporary.h"
#include "gradus/cli/corpus_page.h"
#include "gradus/cli/data_verbs.h"
#include "gradus/cli/output.h"
#include "gradus/data/corpus_statistics.h"
#include "gradus/data/instances.h"
#include "gradus/data/near_duplicates.h"

namespace gradus::cli {
namespace {

// Colours only where a person looks on.
std::string colored(const std::string& text, const char* code) {
  return ::isatty(STDOUT_FILENO) ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

}  // namespace

void print_statistics(const CorpusFile& corpus) {
  const CorpusStatistics stats = statistics(corpus);
  const TokenizerOptions& rules = corpus.tokenizer().options();
  const CorpusInfo& info = corpus.info();
  fmt::print("{}\n", corpus.path().string());
  fmt::print("  vocabulary       {} tokens, {}, mode {}, fingerprint {:016x}\n",
             corpus.vocabulary().size(), rules.lower_case ? "lower-cased" : "cased",
             rules.mode == TokenizerMode::hf ? "hf" : "google", corpus.tokenizer().fingerprint());
  fmt::print("  text             {} file{}, {} lines, {} of them seen before ({})\n",
             info.files.size(), info.files.size() == 1 ? "" : "s", info.lines, info.duplicate_lines,
             percent(info.duplicate_lines, info.lines));
  fmt::print("  cut by           --documents {} --sentences {}\n", info.documents, info.sentences);
  if (info.dropped_lines || info.dropped_documents)
    fmt::print("  left out         {} lines, {} documents\n", info.dropped_lines,
               info.dropped_documents);
  fmt::print("  {:<15}  {:>10}  {:>10}  {:>12}  {:>8}\n", "split", "documents", "sentences",
             "tokens", "[UNK]");
  for (const auto& [split, s] :
       {std::pair{Split::train, stats.train}, std::pair{Split::validation, stats.validation}})
    fmt::print("  {:<15}  {:>10}  {:>10}  {:>12}  {:>8}\n", name(split), s.documents, s.sentences,
               s.tokens, percent(s.unknown, s.tokens));
  if (!std::isnan(stats.unigram_cross_entropy))
    fmt::print(
        "  held-out unigram cross-entropy  {:.3f} nat a token: a masked language model has learned "
        "something below it\n",
        stats.unigram_cross_entropy);
  if (info.documents == "blank" && stats.train.sentences < 3 * stats.train.documents)
    fmt::print(
        "  note: {:.1f} sentences a document. If blank lines separate paragraphs here, not "
        "documents, build with --documents file\n",
        static_cast<double>(stats.train.sentences) / static_cast<double>(stats.train.documents));
}

namespace {

// What the model sees, as text: [MASK=cat] is masked, [dog=cat] replaced at random, [cat=cat] left
// as it was; all three are predicted.
void print_instance(const CorpusFile& corpus, const Instance& instance) {
  std::string line[2];
  for_each_place(corpus.vocabulary(), instance,
                 [&](Shown shown, size_t i, const std::string& token, const std::string& label) {
                   std::string& text = line[instance.types[i]];
                   if (shown == Shown::token) {
                     const bool joins =
                         token.starts_with("##") && !text.empty() && text.back() != ']';
                     text += joins ? token.substr(2) : " " + token;
                     return;
                   }
                   const bool masked = shown == Shown::masked;
                   text += " " + colored(fmt::format("[{}={}]", masked ? "MASK" : token, label),
                                         masked ? "1;33" : "1;35");
                 });
  for (int part = 0; part < (instance.next_label < 0 ? 1 : 2); ++part)
    fmt::print("  {}{}\n", colored(part ? "[B]" : "[A]", part ? "32" : "36"), line[part]);
}

struct InspectArguments {
  std::string file, split = "train";
  std::filesystem::path html;
  double near_duplicates = 0;
  bool overwrite = false;
  int64_t count = 3, epoch = 0;
  uint64_t seed = 0;
  bool no_next_sentence = false;
  InstanceOptions options;
};

// Documents that are like an earlier one; -1: not looked for.
int64_t count_near_duplicates(const CorpusFile& corpus, double similarity) {
  if (similarity == 0) return -1;
  const Temporary scratch(
      temporary_beside(std::filesystem::temp_directory_path() / "gradus-near-duplicates"));
  const auto which = near_duplicates(
      corpus.document_count(), [&](int64_t d) { return corpus.tokens_of(d); }, similarity,
      scratch.path());
  return std::count(which.begin(), which.end(), true);
}

void inspect(InspectArguments& a) {
  if (!a.html.empty()) check_output(a.html, a.overwrite, {a.file});
  a.options.next_sentence = !a.no_next_sentence;
  const CorpusFile corpus = CorpusFile::open(a.file);
  print_statistics(corpus);
  const int64_t near_duplicates = count_near_duplicates(corpus, a.near_duplicates);
  if (near_duplicates >= 0)
    fmt::print("  {} documents are like an earlier one (similarity {:g} or more)\n",
               near_duplicates, a.near_duplicates);
  const Split split = a.split == "train" ? Split::train : Split::validation;
  const InstanceSource source(corpus, split, a.options, a.seed);
  const int64_t size = source.size(a.epoch), tokens = source.tokens(a.epoch);
  fmt::print("\nepoch {} of {}: {} instances, {} tokens, {:.1f} an instance\n", a.epoch, a.split,
             size, tokens, static_cast<double>(tokens) / static_cast<double>(size));
  if (const int64_t same = source.same_document_pairs(a.epoch))
    fmt::print("  warning: {} pairs labelled random are of one document, for want of another\n",
               same);
  for (int64_t i = 0; i < std::min(a.count, size); ++i) {
    const Instance instance = source.get(a.epoch, i);
    std::string about_b;
    if (instance.next_label == 0) about_b = ", B is next (label 0)";
    else if (instance.next_label > 0) about_b = ", B is random (label 1)";
    fmt::print("\ninstance {}: {} tokens, {} predicted{}\n", i, instance.ids.size(),
               instance.positions.size(), about_b);
    print_instance(corpus, instance);
  }
  fmt::print(
      "\n[MASK=w] masked, [v=w] replaced at random, [w=w] left as it was: w is predicted at "
      "each\n");
  if (a.html.empty()) return;
  write_file(a.html, corpus_page(corpus, split, source, a.epoch, a.count, near_duplicates));
  fmt::print("\nwritten to {}\n", a.html.string());
}

}  // namespace

void add_inspect(Verb& data) {
  Verb verb =
      data.verb("inspect", "Show a corpus file: what it holds and what a model will see of it");
  auto a = std::make_shared<InspectArguments>();
  verb.option("file", a->file, "the corpus file, C.gds").required();
  verb.option("--split", a->split, "which documents").one_of({"train", "validation"});
  verb.option("-n,--count", a->count, "instances to show").positive();
  verb.option("--html", a->html, "also write this page: lengths, words, sources, instances");
  verb.flag("--overwrite", a->overwrite, "replace an existing page");
  verb.option("--near-duplicates", a->near_duplicates,
              "count documents so similar to an earlier one, as 0.8");
  verb.option("--epoch", a->epoch).not_negative();
  verb.option("--seed", a->seed);
  verb.option("--max-seq-length", a->options.max_seq_length);
  verb.option("--max-predictions-per-seq", a->options.max_predictions_per_seq);
  verb.option("--masked-lm-prob", a->options.masked_lm_prob);
  verb.option("--short-seq-prob", a->options.short_seq_prob);
  verb.flag("--whole-word-mask", a->options.whole_word_mask);
  verb.flag("--no-next-sentence", a->no_next_sentence,
            "whole sentences of one document instead of pairs");
  verb.footer("Example:\n  gradus data inspect novels.gds -n 5 --html novels.html");
  verb.does([a] { inspect(*a); });
}

}  // namespace gradus::cli
