#include "gradus/train/corpus_loss.h"

#include <cmath>

#include "tests/train/small_runs.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// A model that says the same of every place: its bias, the logits of the tokens.
BertForMaskedLM constant(const Tokenizer& tokenizer, const std::vector<double>& probabilities) {
  BertConfig config = story_config(tokenizer.vocabulary().size());
  BertForMaskedLM model(config);
  const NoGrad scope;
  for (const Parameter& p : parameters(model)) {
    if (p.tied) continue;
    Tensor values = p.view();
    float* to = values.write<float>();
    std::fill_n(to, values.numel(), p.name.ends_with("LayerNorm.weight") ? 1.F : 0.F);
  }
  float* bias = model.predictions.bias.write<float>();
  for (size_t i = 0; i < probabilities.size(); ++i)
    bias[i] = static_cast<float>(std::log(probabilities[i]));
  return model;
}

}  // namespace

TEST_CASE("bits per character, by hand, and the same words for two vocabularies") {
  const Scratch scratch;
  std::string text;
  for (int i = 0; i < 400; ++i) text += i % 3 ? "abc ab.\n" : "ab abc.\n\n";
  write_file(scratch / "t.txt", text);
  const Tokenizer whole(
      Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ab", "abc", "."})),
      pieces(Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ab", "##c", "."}));
  // each token's probability; an abc of two pieces costs the product
  const std::vector<double> p = {.01, .01, .01, .01, .01, .5, .25, .2};
  CorpusLossOptions o;
  o.corpus = {scratch / "t.txt"};
  o.max_seq_length = 20;
  const CorpusLoss a = corpus_loss(constant(whole, p), whole, o),
                   b = corpus_loss(constant(pieces, p), pieces, o);
  CHECK(a.words == b.words);
  CHECK(a.characters == b.characters);
  CHECK(a.tokens == a.words);
  CHECK(b.tokens > b.words);
  CHECK(a.words > 130);  // 15 % of 1,200
  CHECK(a.words < 230);
  // ab, abc and . so often as the sums say
  const double two = static_cast<double>(b.tokens - b.words);  // abc's
  const double rest = static_cast<double>(a.words) - two;
  const double twos = static_cast<double>(a.characters) - 3 * two - rest;  // ab's: 2 = 1 + 1
  const double bits_a = twos * 1 + two * 2 + (rest - twos) * -std::log2(.2),
               bits_b = (twos + two) * 1 + two * 2 + (rest - twos) * -std::log2(.2);
  CHECK(a.bits_per_character == doctest::Approx(bits_a / static_cast<double>(a.characters)));
  CHECK(b.bits_per_character == doctest::Approx(bits_b / static_cast<double>(b.characters)));
  CHECK(a.accuracy == doctest::Approx(twos / static_cast<double>(a.tokens)));

  o.max_words = 50;
  CHECK(corpus_loss(constant(whole, p), whole, o).words < 60);
  o.max_seq_length = 65;
  CHECK_MENTIONS(error_of([&] { corpus_loss(constant(whole, p), whole, o); }),
                 "options.max_seq_length 65");
}

TEST_CASE("words that are unknown are passed over, and counted") {
  const Scratch scratch;
  std::string text;
  for (int i = 0; i < 200; ++i) text += "ab xyz\n";
  write_file(scratch / "t.txt", text);
  const Tokenizer tokenizer(Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ab", "."}));
  CorpusLossOptions o;
  o.corpus = {scratch / "t.txt"};
  const CorpusLoss loss =
      corpus_loss(constant(tokenizer, {.1, .1, .1, .1, .1, .4, .1}), tokenizer, o);
  CHECK(loss.unknown > 10);
  CHECK(loss.characters == 2 * loss.words);
  CHECK(loss.accuracy == 1);
  write_file(scratch / "t.txt", "xyz xyz xyz xyz xyz xyz xyz xyz xyz xyz xyz xyz\n");
  CHECK_MENTIONS(error_of([&] {
                   corpus_loss(constant(tokenizer, {.1, .1, .1, .1, .1, .4, .1}), tokenizer, o);
                 }),
                 "there are no words to hide");
}
