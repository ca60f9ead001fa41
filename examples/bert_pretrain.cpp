// BERT from nothing, as a library: stories, vocabulary, corpus, batches, and a loop that is all
// there on this page.
//   bert_pretrain [STEPS]
#include <filesystem>

#include "gradus/data/corpus_builder.h"
#include "gradus/models/fill_mask.h"
#include "gradus/optim/adamw.h"
#include "gradus/optim/schedule.h"
#include "gradus/story/story.h"
#include "gradus/text/wordpiece_trainer.h"
#include "gradus/train/pretrain.h"

using namespace gradus;

int main(int argc, char** argv) {
  const int64_t steps = argc > 1 ? std::stoll(argv[1]) : 60;
  const auto folder = std::filesystem::temp_directory_path() /
                      fmt::format("bert_pretrain-{}", std::hash<std::string>()(argv[0]));
  std::filesystem::create_directories(folder);

  const auto text = story::write_stories(
      folder, {.documents = 2000, .seed = 1, .world = story::World::small, .overwrite = true});
  WordPieceTrainerOptions training;
  training.size = 1000;
  const Tokenizer tokenizer(Vocabulary(train_wordpiece({text}, training)));
  build_corpus(folder / "stories.gds", tokenizer,
               {.corpus = {text}, .validation_fraction = 0.05, .seed = 1, .overwrite = true});
  const CorpusFile corpus = CorpusFile::open(folder / "stories.gds");
  const InstanceSource train(corpus, Split::train, {.max_seq_length = 64}, 1),
      held_out(corpus, Split::validation, {.max_seq_length = 64}, 2);

  BertConfig config = BertConfig::named("tiny", tokenizer.vocabulary().size());
  config.max_position_embeddings = 64;
  BertForPreTraining model(config);
  const auto list = parameters(model);
  initialize_bert(list, config, BertInitialization::hugging_face, 1);
  AdamW optimizer(list, {.weight_decay = 0.01});
  const Schedule schedule{Schedule::Shape::linear, 2e-3, steps / 10, steps};
  InstanceStream stream(train);
  const double before = evaluate(model, held_out, 200).masked_loss;
  for (int64_t step = 0; step < steps; ++step) {
    // ragged: the tokens of 32 sequences, no padding
    const auto part = stream.next(32).part(config, 0, 32);
    const Training scope;
    const RandomScope random(/*seed=*/1, static_cast<uint64_t>(step));
    const PretrainingLoss loss = model.loss(part.input, part.targets);
    backward(loss.total);
    optimizer.set_learning_rate(schedule.at(step));
    optimizer.step(/*max_norm=*/1.0);
    if (step % 20 == 0)
      fmt::print("step {:3}  MLM loss {:.3f}  NSP loss {:.3f}\n", step, loss.masked, loss.next);
  }
  const PretrainingMetrics after = evaluate(model, held_out, 200);
  fmt::print("held-out MLM loss {:.3f} -> {:.3f}, accuracy {:.3f}\n", before, after.masked_loss,
             after.masked_accuracy);
  const std::vector<MaskAnswers> masks =
      fill_mask(model.masked_lm(), tokenizer, "It was rainy outside, so Anna took an [MASK].", 3);
  for (const auto& [token, p] : masks[0]) fmt::print("  {:<12} {:.2f}\n", token, p);
  std::filesystem::remove_all(folder);
  return after.masked_loss < before - 0.5 ? 0 : 1;
}
