// gradus vocab: a WordPiece vocabulary from text.
#include "gradus/autograd/observer.h"
#include "gradus/cli/cli.h"
#include "gradus/cli/output.h"
#include "gradus/text/text_files.h"
#include "gradus/text/wordpiece_trainer.h"
#include "gradus/train/progress.h"

namespace gradus::cli {
namespace {

struct VocabOptions {
  std::vector<std::filesystem::path> corpus;
  std::filesystem::path out;
  WordPieceTrainerOptions training;
  std::string criterion = "count";
  bool cased = false, overwrite = false;
};

void run(VocabOptions& o) {
  check_output(o.out, o.overwrite, o.corpus);
  check(o.criterion == "count" || o.criterion == "likelihood",
        "--criterion {}: it is count or likelihood", o.criterion);
  o.training.criterion =
      o.criterion == "count" ? MergeCriterion::count : MergeCriterion::likelihood;
  o.training.lower_case = !o.cased;
  const auto files = text_files(o.corpus, "--corpus");
  std::string stage;
  std::unique_ptr<Progress> progress;
  o.training.progress = [&](const std::string& now, double done, double total) {
    if (now != stage)
      progress = std::make_unique<Progress>(now, total, now == "counting words" ? "MB" : "tokens"),
      stage = now;
    progress->at(done);
  };
  const double start = seconds_now();
  fmt::print("reading {} file{}\n", files.size(), files.size() == 1 ? "" : "s");
  std::fflush(stdout);
  WordPieceStatistics statistics;
  const Vocabulary vocabulary(train_wordpiece(files, o.training, &statistics), o.out.string());
  progress.reset();
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
  verb.option("--out", o->out, "vocab.txt").required();
  verb.option("--size", o->training.size, "tokens").positive();
  verb.flag("--cased", o->cased, "keep capitals and accents");
  verb.option("--min-frequency", o->training.min_frequency, "of a pair to be merged").positive();
  verb.option("--limit-alphabet", o->training.limit_alphabet, "most frequent characters kept")
      .positive();
  verb.option("--criterion", o->criterion, "merge by count or likelihood");
  verb.flag("--replace-invalid", o->training.replace_invalid, "read invalid UTF-8 as U+FFFD");
  verb.flag("--overwrite", o->overwrite);
  verb.footer("Example: gradus vocab --corpus books/ --size 8192 --out vocab.txt");
  verb.does([o] { run(*o); });
}

}  // namespace gradus::cli
