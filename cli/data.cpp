// gradus data build | inspect | story: text to a training corpus, a look at what a model will see
// of it, and the story world's documents.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gradus/cli/cli.h"
#include "gradus/data/corpus_builder.h"
#include "gradus/data/instances.h"
#include "gradus/story/best_guess.h"
#include "gradus/story/tasks/tasks.h"

namespace gradus::cli {
namespace {

// Colours only where a person looks on.
std::string colored(const std::string& text, const char* code) {
  return ::isatty(STDOUT_FILENO) ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::string percent(int64_t part, int64_t whole) {
  return fmt::format("{:.2f} %",
                     whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0);
}

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

// What the model sees, as text: [MASK=cat] is masked, [dog=cat] replaced at random, [cat=cat] left
// as it was; all three are predicted.
void print_instance(const CorpusFile& corpus, const Instance& instance) {
  const Vocabulary& vocabulary = corpus.vocabulary();
  std::string line[2];
  size_t next = 0;
  for (size_t i = 0; i < instance.ids.size(); ++i) {
    std::string& text = line[instance.types[i]];
    const std::string& token = vocabulary.token(instance.ids[i]);
    if (next < instance.positions.size() && static_cast<size_t>(instance.positions[next]) == i) {
      const bool masked = instance.ids[i] == vocabulary.mask();
      text += " " + colored(fmt::format("[{}={}]", masked ? "MASK" : token,
                                        vocabulary.token(instance.labels[next])),
                            masked ? "1;33" : "1;35");
      ++next;
    } else {
      const bool joins = token.starts_with("##") && !text.empty() && text.back() != ']';
      text += joins ? token.substr(2) : " " + token;
    }
  }
  for (int part = 0; part < (instance.next_label < 0 ? 1 : 2); ++part)
    fmt::print("  {}{}\n", colored(part ? "[B]" : "[A]", part ? "32" : "36"), line[part]);
}

struct BuildArguments {
  CorpusOptions options;
  std::string vocabulary, out, documents = "blank", sentences = "split", mode = "hf";
  bool cased = false;
};

void build(BuildArguments& a) {
  a.options.documents = a.documents == "file" ? Documents::file : Documents::blank;
  a.options.sentences = a.sentences == "line" ? Sentences::line : Sentences::split;
  const Tokenizer tokenizer(
      Vocabulary::load(a.vocabulary),
      {.lower_case = !a.cased,
       .mode = a.mode == "google" ? TokenizerMode::google : TokenizerMode::hf});
  const bool terminal = ::isatty(STDERR_FILENO);
  if (terminal)
    a.options.progress = [](int64_t done, int64_t total) {
      fmt::print(stderr, "\r  {:.0f} of {:.0f} MB", static_cast<double>(done) / 1e6,
                 static_cast<double>(total) / 1e6);
    };
  build_corpus(a.out, tokenizer, a.options);
  if (terminal) fmt::print(stderr, "\r\x1b[K");
  print_statistics(CorpusFile::open(a.out));
}

void add_build(Verb& data) {
  Verb verb = data.verb(
      "build", "Turn text files into one corpus file of token ids, with held-out documents");
  auto a = std::make_shared<BuildArguments>();
  verb.option("--corpus", a->options.corpus, "text files, and folders of *.txt").required();
  verb.option("--vocab", a->vocabulary, "vocab.txt (make one with `gradus vocab`)").required();
  verb.option("--out", a->out, "the corpus file to write, C.gds").required();
  verb.flag("--cased", a->cased, "keep case and accents");
  verb.option("--mode", a->mode, "tokenizer rules").one_of({"hf", "google"});
  const Option validation =
      verb.option("--validation", a->options.validation,
                  "text files or folders to hold out; may be part of --corpus");
  verb.option("--validation-fraction", a->options.validation_fraction,
              "hold out this share of the documents, by seed")
      .excludes(validation);
  verb.option("--documents", a->documents,
              "blank: a blank line ends a document; file: the file is the document")
      .one_of({"blank", "file"});
  verb.option("--sentences", a->sentences,
              "split: cut paragraphs into sentences; line: each line is one")
      .one_of({"split", "line"});
  verb.option("--seed", a->options.seed, "chooses the held-out documents");
  verb.flag("--replace-invalid", a->options.replace_invalid, "read invalid UTF-8 as U+FFFD");
  verb.flag("--overwrite", a->options.overwrite, "replace an existing --out");
  verb.footer(
      "Example:\n  gradus data build --corpus novels/ --documents file --validation "
      "novels/Doyle_Hound_1902.txt --vocab vocab.txt --out "
      "novels.gds");
  verb.does([a] { build(*a); });
}

struct InspectArguments {
  std::string file, split = "train";
  int64_t count = 3, epoch = 0;
  uint64_t seed = 0;
  bool no_next_sentence = false;
  InstanceOptions options;
};

void inspect(InspectArguments& a) {
  a.options.next_sentence = !a.no_next_sentence;
  const CorpusFile corpus = CorpusFile::open(a.file);
  print_statistics(corpus);
  const InstanceSource source(corpus, a.split == "train" ? Split::train : Split::validation,
                              a.options, a.seed);
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
}

void add_inspect(Verb& data) {
  Verb verb =
      data.verb("inspect", "Show a corpus file: what it holds and what a model will see of it");
  auto a = std::make_shared<InspectArguments>();
  verb.option("file", a->file, "the corpus file, C.gds").required();
  verb.option("--split", a->split, "which documents").one_of({"train", "validation"});
  verb.option("-n,--count", a->count, "instances to show").positive();
  verb.option("--epoch", a->epoch).not_negative();
  verb.option("--seed", a->seed);
  verb.option("--max-seq-length", a->options.max_seq_length);
  verb.option("--max-predictions-per-seq", a->options.max_predictions_per_seq);
  verb.option("--masked-lm-prob", a->options.masked_lm_prob);
  verb.option("--short-seq-prob", a->options.short_seq_prob);
  verb.flag("--whole-word-mask", a->options.whole_word_mask);
  verb.flag("--no-next-sentence", a->no_next_sentence,
            "whole sentences of one document instead of pairs");
  verb.footer("Example:\n  gradus data inspect novels.gds --split validation -n 5");
  verb.does([a] { inspect(*a); });
}

struct StoryArguments {
  std::string out, world = "small";
  story::StoryOptions options;
  bool with_tasks = false;
  story::TaskOptions tasks;
};

void tell(StoryArguments& a) {
  a.options.world = a.world == "large" ? story::World::large : story::World::small;
  const auto file = story::write_stories(a.out, a.options);
  fmt::print("{}: {} stories of the {} world\n", file.string(), a.options.documents, a.world);
  for (const auto& line : story::story(a.options.seed, 0, a.options.world).text())
    fmt::print("  {}\n", line);
  const story::Bound best = story::best_mlm(
      a.options.seed, std::min<int64_t>(a.options.documents, 2000), a.options.world);
  fmt::print("best reachable for masked words: accuracy {:.3f}, loss {:.3f}\n", best.accuracy,
             best.cross_entropy);
  if (!a.with_tasks) return;
  a.tasks.seed = a.options.seed;
  a.tasks.world = a.options.world;
  story::write_tasks(a.out, a.tasks);
  for (const story::StoryTask& task : story::tasks())
    fmt::print(
        "{}: {}\n",
        (file.parent_path() / (task.name + ".{train,validation,test}." + task.ending)).string(),
        task.format);
}

void add_story(Verb& data) {
  Verb verb = data.verb("story",
                        "Write documents of the story world (a sentence a line, a blank "
                        "line between stories), and labelled sets");
  auto a = std::make_shared<StoryArguments>();
  verb.option("--out", a->out, "the folder to write stories.txt into").required();
  verb.option("--documents", a->options.documents, "how many stories");
  verb.option("--world", a->world,
              "small: about 500 words, short stories that say things twice; large: about 2,150")
      .one_of({"small", "large"});
  verb.option("--seed", a->options.seed);
  verb.flag("--overwrite", a->options.overwrite, "write into a folder that is not empty");
  const Option tasks = verb.flag("--tasks", a->with_tasks,
                                 "also the labelled sets, one for every task, with a README.md");
  verb.option("--train", a->tasks.train, "labelled examples to train on, of each task")
      .needs(tasks);
  verb.option("--validation", a->tasks.validation).needs(tasks);
  verb.option("--test", a->tasks.test).needs(tasks);
  verb.footer("Example:\n  gradus data story --out stories --documents 20000 --seed 1 --tasks");
  verb.does([a] { tell(*a); });
}

}  // namespace

void add_data(Verb& program) {
  Verb data =
      program.verb("data", "Build and inspect training corpora; write the story world's documents");
  add_build(data);
  add_inspect(data);
  add_story(data);
}

}  // namespace gradus::cli
