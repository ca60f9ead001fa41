// gradus demo: the whole path on the story world in a few minutes, from no text at all to filled
// masks and answered questions.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "gradus/autograd/observer.h"
#include "gradus/cli/cli.h"
#include "gradus/cli/demo_tasks.h"
#include "gradus/cli/output.h"
#include "gradus/data/corpus_builder.h"
#include "gradus/data/corpus_statistics.h"
#include "gradus/io/model_folder.h"
#include "gradus/models/fill_mask.h"
#include "gradus/story/best_guess.h"
#include "gradus/text/wordpiece_trainer.h"
#include "gradus/train/pretrain.h"
#include "gradus/train/progress.h"

namespace gradus::cli {
namespace {

struct DemoOptions {
  std::filesystem::path out = "gradus-demo";
  int64_t documents = 60000, probes = 800;
  double minutes = 4;
  uint64_t seed = 1;
  bool overwrite = false;
};

void stage(int number, const std::string& text) {
  fmt::print("\n{}. {}\n", number, text);
  std::fflush(stdout);
}

struct FilledProbe {
  const story::Probe* probe;
  MaskAnswers answers;  // the best two
  bool right;
};

std::string lower_case(std::string word) {
  for (char& c : word) c = static_cast<char>(std::tolower(c));
  return word;
}

// Fills every probe's mask. Shown are, of the first probe of each kind, the ten answers that the
// model is surest of, right or wrong; then how often each kind comes out right.
void fill_probes(const BertForMaskedLM& model, const Tokenizer& tokenizer,
                 const std::vector<story::Probe>& probes) {
  std::vector<FilledProbe> first;
  std::map<std::string, std::pair<int64_t, int64_t>> kinds;  // right, all
  int64_t all_right = 0;
  for (const story::Probe& probe : probes) {
    FilledProbe filled{&probe, fill_mask(model, tokenizer, probe.text, 2)[0], false};
    filled.right = filled.answers[0].token == lower_case(probe.answer);
    auto& [right, all] = kinds[probe.about];
    right += filled.right;
    all_right += filled.right;
    if (++all == 1) first.push_back(std::move(filled));
  }
  std::stable_sort(first.begin(), first.end(), [](const FilledProbe& a, const FilledProbe& b) {
    return a.answers[0].probability > b.answers[0].probability;
  });
  for (size_t i = 0; i < std::min<size_t>(10, first.size()); ++i) {
    const auto& [probe, answers, right] = first[i];
    fmt::print("   {} {}\n       {} {:.0f} %, {} {:.0f} %{}\n", right ? "✓" : "✗", probe->text,
               answers[0].token, 100 * answers[0].probability, answers[1].token,
               100 * answers[1].probability,
               right ? "" : fmt::format("   (right is: {})", probe->answer));
  }
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [kind, counts] : kinds)
    order.emplace_back(-static_cast<double>(counts.first) / static_cast<double>(counts.second),
                       kind);
  std::sort(order.begin(), order.end());
  fmt::print("\n   {} of {} masks right, by what is asked\n", all_right, probes.size());
  for (const auto& [share, kind] : order)
    fmt::print("   {:<17} {:>4.0f} % {}\n", kind, -100 * share,
               std::string(static_cast<size_t>(std::lround(-30 * share)), '#'));
}

void run(const DemoOptions& o) {
  const double start = seconds_now();
  fmt::print(
      "Gradus: a small BERT learns a small world, from nothing, on this machine. About {:.0f} "
      "minutes; everything goes to {}/\n",
      o.minutes + 2, o.out.string());
  make_output_folder(o.out, o.overwrite);

  stage(1,
        fmt::format("Stories: {} documents written by a grammar of about 500 words", o.documents));
  const auto text = story::write_stories(o.out, {.documents = o.documents,
                                                 .seed = o.seed,
                                                 .world = story::World::small,
                                                 .overwrite = o.overwrite});
  for (const std::string& sentence : story::story(o.seed, 0, story::World::small).text())
    fmt::print("      {}\n", sentence);

  stage(2, "Vocabulary: WordPiece, learned from them");
  const auto vocabulary_file = o.out / "vocab.txt";
  WordPieceTrainerOptions training;
  training.size = 1000;
  Vocabulary vocabulary(train_wordpiece({text}, training), vocabulary_file.string());
  vocabulary.save(vocabulary_file);
  const Tokenizer tokenizer(vocabulary);
  const Encoding sample = tokenizer.encode("The baker baked fresh bread.");
  std::string pieces;
  for (const int32_t id : sample.ids) pieces += vocabulary.token(id) + " ";
  fmt::print("   {} tokens; \"The baker baked fresh bread.\" is {}\n", vocabulary.size(), pieces);

  stage(3, "Corpus: ids, in one file");
  const auto corpus_file = o.out / "stories.gds";
  build_corpus(
      corpus_file, tokenizer,
      {.corpus = {text}, .validation_fraction = 0.02, .seed = o.seed, .overwrite = o.overwrite});
  const CorpusStatistics numbers = statistics(CorpusFile::open(corpus_file));
  fmt::print(
      "   {:.2f} M tokens to train on, {} held-out documents; guessing by word frequency alone "
      "would cost {:.2f} nat a word\n",
      static_cast<double>(numbers.train.tokens) / 1e6, numbers.validation.documents,
      numbers.unigram_cross_entropy);

  stage(4, "Pretraining: masked words and next sentences, from random weights");
  BertConfig config = BertConfig::named("tiny", vocabulary.size());
  // deeper and narrower than tiny, at about its cost: docs/reference-runs.md has what that brings
  config.num_hidden_layers = 3;
  config.intermediate_size = 256;
  config.num_attention_heads = 4;
  config.max_position_embeddings = 128;
  config.initializer_range = 0.06;  // of a narrow model; 0.02 is for widths of 768
  write_file(o.out / "tiny.json", config.to_json());
  PretrainOptions pretraining;
  pretraining.data = corpus_file;
  pretraining.out = o.out / "model";
  pretraining.overwrite = pretraining.overwrite_better = o.overwrite;
  pretraining.model = (o.out / "tiny.json").string();
  pretraining.max_seq_length = 64;
  // small: what such a model learns in minutes depends on the number of steps more than on what
  // each has seen
  pretraining.batch_size = 24;
  pretraining.instances.short_seq_prob = 0;
  pretraining.max_minutes = o.minutes;
  pretraining.learning_rate = 1.5e-3;
  pretraining.dropout = 0.0;  // the world writes more text than the model can memorise
  // to carry a word over from another sentence is what it teaches: docs/reference-runs.md
  pretraining.initialization = "mimetic";
  pretraining.seed = o.seed;
  const PretrainResult result = pretrain(pretraining);
  end_if_stopped(result.stopped_by,
                 fmt::format("step {} of pretraining; what is made so far is saved", result.steps));

  stage(5,
        "Masks, filled by the model that was just trained: of one of each kind, the ten that it is "
        "surest of");
  BertForMaskedLM model(load_config(pretraining.out));
  load_parameters(pretraining.out, parameters(model));
  const auto probes = story::story_probes(o.seed + 1, o.probes, story::World::small);
  fill_probes(model, tokenizer, probes);

  const story::Bound bound = story::best_mlm(o.seed, 2000, story::World::small);
  const PretrainingMetrics& held_out = *result.validation;
  fmt::print(
      "\nWhat was learned: of masked words in stories it never saw, the model names {:.1f} % (the "
      "best possible reader of this world "
      "{:.1f} %), at {:.2f} nat a word\n"
      "(best possible {:.2f}, word frequencies alone {:.2f}); it tells the next part of a story "
      "from another's in {:.0f} % of pairs.\n",
      100 * held_out.masked_accuracy, 100 * bound.accuracy, held_out.masked_loss,
      bound.cross_entropy, numbers.unigram_cross_entropy, 100 * held_out.next_accuracy);

  stage(6, "Tasks: the same model, fine-tuned for each, on stories that it never saw");
  run_demo_tasks(o.out, o.seed, story::World::small);

  fmt::print(
      "\n{1} in all. The files: {0}/stories.txt, {0}/vocab.txt, {0}/stories.gds; {0}/model/ and "
      "{0}/tasks/NAME/, Hugging Face folders that "
      "`transformers` opens;\n"
      "{0}/tasks/README.md says what the tasks are. Go on with:\n"
      "   build/gradus fill-mask --model {0}/model \"{2}\"\n   build/gradus eval --model "
      "{0}/tasks/entities "
      "{0}/tasks/entities.test.conll\n",
      o.out.string(), format_duration(seconds_now() - start), probes[0].text);
}

}  // namespace

void add_demo(Verb& program) {
  auto o = std::make_shared<DemoOptions>();
  Verb verb = program.verb(
      "demo",
      "a small BERT learns a small world in a few minutes: pretraining, filled masks, seven tasks");
  verb.option("--out", o->out, "folder for all that is made");
  verb.flag("--overwrite", o->overwrite, "write into a folder that is not empty");
  verb.option("--max-minutes", o->minutes, "of pretraining; its schedule follows the clock")
      .positive();
  verb.option("--documents", o->documents, "stories").positive();
  verb.option("--seed", o->seed);
  verb.footer("Example: gradus demo --out /tmp/demo");
  verb.does([o] {
    forgive_output();
    run(*o);
  });
}

}  // namespace gradus::cli
