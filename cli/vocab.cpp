// gradus vocab: a WordPiece vocabulary from text.
#include "gradus/autograd/observer.h"
#include "gradus/cli/cli.h"
#include "gradus/cli/output.h"
#include "gradus/io/convert.h"
#include "gradus/text/domain_words.h"
#include "gradus/text/text_files.h"
#include "gradus/text/wordpiece_trainer.h"
#include "gradus/train/progress.h"

namespace gradus::cli {
namespace {

constexpr int64_t new_words = 1000;  // without --size

struct VocabOptions {
  std::filesystem::path extend;
  bool sized = false;
  std::vector<std::filesystem::path> corpus;
  std::filesystem::path out;
  WordPieceTrainerOptions training;
  std::string criterion = "count";
  bool cased = false, overwrite = false;
};

// The words of the corpus that a model takes apart get tokens of their own, in a new folder.
void extend(VocabOptions& o) {
  const Tokenizer tokenizer = load_tokenizer(o.extend);
  o.training.lower_case = tokenizer.options().lower_case;
  StageProgress progress;
  o.training.progress = [&](const std::string& stage, double done, double total) {
    progress.at(stage, done, total);
  };
  fmt::print("reading {}\n", o.extend.string());
  std::fflush(stdout);
  const WordCounts counts = count_words(text_files(o.corpus, "--corpus"), o.training);
  progress.end();
  const auto words = domain_words(tokenizer, counts, o.sized ? o.training.size : new_words,
                                  o.training.min_frequency);
  check(!words.empty(),
        "{}: no word of the corpus is more than one token to it; there is nothing "
        "to add",
        o.extend.string());
  ConvertOptions convert{.model = o.extend, .out = o.out};
  convert.overwrite = o.overwrite;
  for (const DomainWord& word : words) convert.new_words.push_back(word.word);
  const ConvertReport report = convert_model(convert);
  for (size_t i = 0; i < std::min<size_t>(words.size(), 8); ++i) {
    std::string pieces;
    for (const int32_t piece : words[i].pieces) pieces += " " + tokenizer.vocabulary().token(piece);
    fmt::print("  {:<20} {:>8} times, was{}\n", words[i].word, words[i].count, pieces);
  }
  if (words.size() > 8) fmt::print("  … and {} more\n", words.size() - 8);
  for (const std::string& note : report.notes) fmt::print("{}\n", note);
  fmt::print(
      "{:.3f} tokens a word of this text before, {:.3f} now. The model is in {}; go on with "
      "`gradus pretrain --init`\n",
      tokens_per_word(tokenizer, counts), tokens_per_word(load_tokenizer(o.out), counts),
      o.out.string());
}

void run(VocabOptions& o) {
  if (!o.extend.empty()) return extend(o);
  check_output(o.out, o.overwrite, o.corpus);
  check(o.criterion == "count" || o.criterion == "likelihood",
        "--criterion {}: it is count or likelihood", o.criterion);
  o.training.criterion =
      o.criterion == "count" ? MergeCriterion::count : MergeCriterion::likelihood;
  o.training.lower_case = !o.cased;
  const auto files = text_files(o.corpus, "--corpus");
  StageProgress progress;
  o.training.progress = [&](const std::string& stage, double done, double total) {
    progress.at(stage, done, total, stage == "counting words" ? "MB" : "tokens");
  };
  const double start = seconds_now();
  fmt::print("reading {} file{}\n", files.size(), files.size() == 1 ? "" : "s");
  std::fflush(stdout);
  WordPieceStatistics statistics;
  const Vocabulary vocabulary(train_wordpiece(files, o.training, &statistics), o.out.string());
  progress.end();
  vocabulary.save(o.out);
  fmt::print(
      "{} tokens from {:.1f} M words ({} distinct) in {}; {:.1f} % of the words are one token{}. "
      "Written to {}\n",
      vocabulary.size(), static_cast<double>(statistics.words) / 1e6, statistics.distinct_words,
      format_duration(seconds_now() - start), 100 * statistics.whole_words,
      vocabulary.size() < o.training.size ? " (no pair is left that is frequent enough for more)"
                                          : "",
      o.out.string());
}

}  // namespace

void add_vocab(Verb& program) {
  auto o = std::make_shared<VocabOptions>();
  o->training.size = 8192;
  Verb verb = program.verb("vocab", "train a WordPiece vocabulary");
  verb.option("--corpus", o->corpus, "text or JSON lines, also .gz or .zst; folders, 'globs', -")
      .required();
  verb.option("--text-column", o->training.text_column, "of JSON lines (text)");
  verb.option("--out", o->out, "vocab.txt; with --extend a model folder").required();
  const Option size =
      verb.option("--size", o->training.size, "tokens; with --extend new words (1000)");
  verb.option("--extend", o->extend,
              "a model folder: the corpus' words that it takes apart get tokens of their own");
  verb.flag("--cased", o->cased, "keep capitals and accents");
  verb.option("--min-frequency", o->training.min_frequency, "of a pair to be merged").positive();
  verb.option("--limit-alphabet", o->training.limit_alphabet, "most frequent characters kept")
      .positive();
  verb.option("--criterion", o->criterion, "merge by count or likelihood");
  verb.flag("--replace-invalid", o->training.replace_invalid, "read invalid UTF-8 as U+FFFD");
  verb.flag("--overwrite", o->overwrite);
  verb.flag("--resume", o->training.resume, "go on where the same command was interrupted");
  verb.footer("Example: gradus vocab --corpus books/ --size 8192 --out vocab.txt");
  verb.does([o, size] {
    check(o->training.size > 0, "--size {}: it is a number of tokens, from 1", o->training.size);
    o->sized = size.given();
    o->training.partial = o->out.string() + ".partial";
    o->training.overwrite = o->overwrite;
    run(*o);
  });
}

}  // namespace gradus::cli
