// Small runs, made in a second: pretraining on the story world, and a classifier of texts whose
// label is a word of theirs.
#pragma once

#include "gradus/data/corpus_builder.h"
#include "gradus/io/model_folder.h"
#include "gradus/story/story.h"
#include "gradus/text/wordpiece_trainer.h"
#include "gradus/train/finetune.h"
#include "gradus/train/pretrain.h"
#include "tests/io/small_model.h"
#include "tests/support.h"

namespace gradus::testing {

// A small corpus of the story world, built once.
struct World {
  Scratch scratch;
  std::filesystem::path corpus = scratch / "stories.gds";
  World() {
    const auto text = story::write_stories(
        scratch.path(),
        {.documents = 400, .seed = 3, .world = story::World::small, .overwrite = true});
    WordPieceTrainerOptions options;
    options.size = 900;
    build_corpus(corpus, Tokenizer(Vocabulary(train_wordpiece({text}, options))),
                 {.corpus = {text}, .validation_fraction = 0.1, .seed = 1, .overwrite = true});
  }
};
inline const World& world() {
  static const World instance;
  return instance;
}

inline BertConfig story_config(int64_t vocabulary) {
  BertConfig config = BertConfig::named("tiny", vocabulary);
  config.hidden_size = 32, config.num_attention_heads = 2, config.intermediate_size = 64,
  config.max_position_embeddings = 64;
  return config;
}

inline PretrainOptions small_pretraining(const Scratch& scratch, const char* out) {
  PretrainOptions o;
  const CorpusFile corpus = CorpusFile::open(world().corpus);
  write_file(scratch / "config.json", story_config(corpus.vocabulary().size()).to_json());
  o.data = world().corpus;
  o.out = scratch / out;
  o.model = (scratch / "config.json").string();
  o.max_seq_length = 48;
  o.batch_size = 8;
  o.max_steps = 6;
  o.learning_rate = 1e-3;
  o.quiet = true;
  return o;
}

// "the a the b .": positive where it holds an a.
inline void write_texts(const std::filesystem::path& path, int count, int seed) {
  std::string text = "sentence\tlabel\n";
  for (int i = 0; i < count; ++i) {
    const bool positive = (i * 7 + seed) % 3 != 0;
    const int words = 1 + (i + seed) % 5;
    for (int w = 0; w < words; ++w) {
      const char* other = (w + i) % 2 ? "the " : "b ";
      text += positive && w == (i % words) ? "a " : other;
    }
    text += positive ? ".\tyes\n" : ".\tno\n";
  }
  write_file(path, text);
}

inline FinetuneOptions small_finetuning(const Scratch& scratch) {
  if (!std::filesystem::exists(scratch / "base")) {
    BertForPreTraining model = small_model(3);
    save_model_folder(scratch / "base", model.bert.config, parameters(model), small_tokenizer());
    write_texts(scratch / "train.tsv", 96, 0);
    write_texts(scratch / "dev.tsv", 30, 1);
  }
  FinetuneOptions o;
  o.model = scratch / "base", o.train = scratch / "train.tsv", o.validation = scratch / "dev.tsv",
  o.out = scratch / "out";
  o.overwrite = o.quiet = true;
  o.task.kind = "classify", o.task.max_seq_length = 16;
  o.batch_size = 8, o.epochs = 20, o.learning_rate = 1e-2, o.dropout = 0;
  return o;
}

}  // namespace gradus::testing
