// What the initialisation from counts promises, on the story world: where the heads look, and a
// loss below the unigram model's before the first step.
#include <algorithm>
#include <array>

#include "gradus/base/parallel.h"
#include "gradus/models/counts_initialization.h"
#include "gradus/train/measure.h"
#include "gradus/train/word_vectors.h"
#include "tests/train/small_runs.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

struct Begun {
  CorpusFile corpus = CorpusFile::open(world().corpus);
  BertConfig config;
  BertForPreTraining model;
  std::vector<Parameter> list;
  explicit Begun(int64_t hidden = 64, bool modern = false)
      : config(configuration(corpus, hidden, modern)), model(config), list(parameters(model)) {
    initialize_bert(list, config, BertInitialization::hugging_face, 1);
  }
  static BertConfig configuration(const CorpusFile& corpus, int64_t hidden, bool modern) {
    BertConfig config = story_config(corpus.vocabulary().size());
    if (modern) config = BertConfig::named("modern-2x128x2", config.vocab_size);
    config.hidden_size = hidden;
    return config;
  }
  void from_counts() {
    const WordVectors words = word_vectors(PositivePmi(corpus), config.hidden_size, 1);
    initialize_from_counts(list, config, {words.vectors, words.log_frequency});
  }
};

double unigram_loss(const CorpusFile& corpus, const InstanceSource& held_out) {
  const PositivePmi pmi(corpus);
  const WordVectors words = word_vectors(pmi, 2, 1);
  double sum = 0, count = 0;
  for (const Instance& instance : InstanceStream(held_out).next(held_out.size(0)).instances)
    for (const int32_t label : instance.labels)
      sum -= static_cast<double>(words.log_frequency[static_cast<size_t>(label)]), ++count;
  return sum / count;
}

}  // namespace

TEST_CASE("counts: before the first step the loss is below the unigram model's") {
  Begun begun;
  const InstanceSource held_out(begun.corpus, Split::validation, {.max_seq_length = 48}, 2);
  const double unigram = unigram_loss(begun.corpus, held_out);
  const double noise = evaluate(begun.model, held_out, 0).masked_loss;
  begun.from_counts();
  const double counts = evaluate(begun.model, held_out, 0).masked_loss;
  MESSAGE("unigram " << unigram << ", from noise " << noise << ", from counts " << counts);
  CHECK(noise > unigram);
  CHECK(counts < unigram);
}

namespace {
// Where the heads of the first two layers look before the first step: in how many places of all the
// most at the token that they are meant for.
void check_heads(Begun& begun, std::array<double, 2> least) {
  begun.from_counts();
  const InstanceSource source(begun.corpus, Split::train, {.max_seq_length = 48}, 1);
  const PretrainingBatch batch = InstanceStream(source).next(8);
  const auto part = batch.part(begun.config, 0, 8);
  const NoGrad scope;
  Tensor x = begun.model.bert.embeddings(part.input);
  for (int64_t layer = 0; layer < 2; ++layer) {
    const auto& block = begun.model.bert.encoder.layer[static_cast<size_t>(layer)];
    const bool normed = block.pre_norm && block.attention_norm;
    const Tensors looks = block.attention.probabilities(normed ? (*block.attention_norm)(x) : x,
                                                        part.input.sequences);
    for (int64_t head = 0; head < begun.config.num_attention_heads; ++head) {
      const int64_t offset = head_offset(begun.config, layer, head);
      int64_t there = 0, all = 0;
      double share = 0;
      for (const Tensor& of_one : looks) {
        const int64_t n = of_one.shape()[1];
        const auto p = of_one.to_vector<double>();
        for (int64_t i = 0; i < n; ++i) {
          if (i + offset < 0 || i + offset >= n) continue;
          const double* row = p.data() + (head * n + i) * n;
          there += std::max_element(row, row + n) - row == i + offset;
          share += row[i + offset] * static_cast<double>(n);
          ++all;
        }
      }
      CAPTURE(layer);
      CAPTURE(head);
      CAPTURE(static_cast<double>(there) / static_cast<double>(all));
      // its share beside that of a head that looks nowhere, 1 / n
      CAPTURE(share / static_cast<double>(all));
      CHECK(static_cast<double>(there) / static_cast<double>(all) >
            least[static_cast<size_t>(layer)]);
      CHECK(share / static_cast<double>(all) > 2);
    }
    x = block(x, part.input.sequences);
  }
}
}  // namespace

TEST_CASE("counts: each head of the first two layers looks at the token its offset away") {
  Begun bert(128);
  check_heads(bert, {0.9, 0.5});
  Begun modern(128, true);
  check_heads(modern, {0.85, 0.5});
}

TEST_CASE("counts: each part sets what it names and nothing else") {
  const auto changed_by = [](auto&& change, bool modern = false) {
    Begun before(64, modern), after(64, modern);
    change(after);
    std::string names;
    for (size_t i = 0; i < before.list.size(); ++i)
      if (!before.list[i].tied &&
          before.list[i].view().to_vector<float>() != after.list[i].view().to_vector<float>())
        names += before.list[i].name + "\n";
    return names;
  };
  CHECK(changed_by([](Begun& b) { place_positions(b.list, b.config, 0.05); }) ==
        "bert.embeddings.position_embeddings.weight\n");
  CHECK(changed_by([](Begun& b) { look_at_offsets(b.list, b.config, 1, 1.3); }) ==
        "bert.encoder.layer.0.attention.self.query.weight\n"
        "bert.encoder.layer.0.attention.self.key.weight\n");
  CHECK(changed_by([](Begun& b) { pass_values_on(b.list, b.config, 0.7, 0.3); }) ==
        "bert.encoder.layer.0.attention.self.value.weight\n"
        "bert.encoder.layer.0.attention.output.dense.weight\n"
        "bert.encoder.layer.1.attention.self.value.weight\n"
        "bert.encoder.layer.1.attention.output.dense.weight\n"
        "cls.predictions.transform.dense.weight\n");
  CHECK(changed_by([](Begun& b) {
          const WordVectors words = word_vectors(PositivePmi(b.corpus), b.config.hidden_size, 1);
          begin_with_counts(b.list, b.config, {words.vectors, words.log_frequency});
        }) == "bert.embeddings.word_embeddings.weight\ncls.predictions.bias\n");
  constexpr bool modern = true;
  CHECK(changed_by([](Begun& b) { share_a_direction(b.list, b.config, 0.1); }, modern) ==
        "model.embeddings.tok_embeddings.weight\n");
  CHECK(changed_by([](Begun& b) { turn_to_offsets(b.list, b.config, 1, 1.6); }, modern) ==
        "model.layers.0.attn.Wqkv.weight\n");
}

TEST_CASE("counts: heads whose width is odd, and vectors of another width, are refused") {
  Begun begun;
  const WordVectors words = word_vectors(PositivePmi(begun.corpus), 8, 1);
  CHECK(error_of([&] {
          initialize_from_counts(begun.list, begun.config, {words.vectors, words.log_frequency});
        }).find("vectors' numbers, the model has") != std::string::npos);
  BertConfig odd = begun.config;
  odd.num_attention_heads = 64;
  CHECK(error_of([&] {
          const WordVectors wide = word_vectors(PositivePmi(begun.corpus), 64, 1);
          initialize_from_counts(begun.list, odd, {wide.vectors, wide.log_frequency});
        }) == "initial values from counts: the heads have 1 features; it takes an even number");
}

TEST_CASE("counts: a short run ends far below one that begins from noise; threads change no bit") {
  const Scratch scratch;
  const auto run = [&](const char* name, const char* initialization, int threads) {
    const Threads scope(threads);
    PretrainOptions options = small_pretraining(scratch, name);
    options.initialization = initialization, options.max_steps = 40, options.eval_steps = 40;
    options.learning_rate = 3e-3;
    return pretrain(options).validation.value().masked_loss;
  };
  const double noise = run("noise", "hugging_face", 2), counts = run("counts", "counts", 2);
  MESSAGE("after 40 steps: from noise " << noise << ", from counts " << counts);
  CHECK(counts < noise - 0.3);
  run("again", "counts", 1);
  CHECK(read_file(scratch / "counts/model.safetensors") ==
        read_file(scratch / "again/model.safetensors"));
}
