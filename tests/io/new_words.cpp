#include "gradus/io/new_words.h"

#include "gradus/io/convert.h"
#include "gradus/models/bert.h"
#include "gradus/text/domain_words.h"
#include "tests/io/small_model.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

Tokenizer with_unused() {
  return Tokenizer(Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "car",
                               "##di", "##ac", "[unused1]", "bird", "##s", "s"}));
}

}  // namespace

TEST_CASE("new words take unused rows first, then new ones") {
  const Tokenizer tokenizer = with_unused();
  const NewWords words = place_new_words(tokenizer, {"cardiac", "birds", "cars"});
  CHECK(words.ids == std::vector<int32_t>{5, 9, 13});
  CHECK(words.reused == 2);
  CHECK(words.pieces == std::vector<std::vector<int32_t>>{{6, 7, 8}, {10, 11}, {6, 11}});
  CHECK(words.tokens.size() == 14);
  CHECK(words.tokens[5] == "cardiac");
  CHECK(words.tokens[13] == "cars");
  CHECK_MENTIONS(error_of([&] { place_new_words(tokenizer, {"bird"}); }), "is a token already");
  CHECK_MENTIONS(error_of([&] { place_new_words(tokenizer, {"cars", "cars"}); }), "named twice");
  CHECK_MENTIONS(error_of([&] { place_new_words(tokenizer, {"car s"}); }), "is not one word");
}

TEST_CASE(
    "a model with new words: their rows are the mean of their pieces, all else is as it was") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1);
  const auto list = parameters(model);
  const Tokenizer tokenizer = small_tokenizer();
  save_model_folder(scratch / "in", model.bert.config, list, tokenizer);
  std::string joined;  // a word of two pieces
  for (const std::string& token : tokenizer.vocabulary().tokens())
    if (token.starts_with("##") && joined.empty()) joined = "a" + token.substr(2);
  REQUIRE(tokenizer.vocabulary().find("a") >= 0);
  REQUIRE(tokenizer.encode(joined).ids.size() == 2);
  const auto pieces = tokenizer.encode(joined).ids;

  ConvertOptions options{.model = scratch / "in", .out = scratch / "out"};
  options.new_words = {joined};
  const ConvertReport report = convert_model(options);
  CHECK_MENTIONS(report.notes.back(), "1 words have tokens of their own now");
  const BertConfig config = load_config(scratch / "out");
  const Tokenizer now = load_tokenizer(scratch / "out");
  const auto id = now.encode(joined).ids;
  REQUIRE(id.size() == 1);
  BertForPreTraining extended(config);
  CHECK(load_parameters(scratch / "out", parameters(extended)).fresh.empty());

  const int64_t width = config.hidden_size, before = model.bert.config.vocab_size;
  CHECK(config.vocab_size == std::max<int64_t>(before, now.vocabulary().size()));
  const auto old_rows = model.bert.embeddings.word_embeddings.weight.to_vector<float>(),
             rows = extended.bert.embeddings.word_embeddings.weight.to_vector<float>(),
             old_bias = model.predictions.bias.to_vector<float>(),
             bias = extended.predictions.bias.to_vector<float>();
  for (int64_t row = 0; row < before; ++row) {
    if (row == id[0]) continue;
    CHECK(bias[static_cast<size_t>(row)] == old_bias[static_cast<size_t>(row)]);
    for (int64_t i = 0; i < width; ++i) {
      const auto at = static_cast<size_t>(row * width + i);
      REQUIRE(rows[at] == old_rows[at]);
    }
  }
  const auto mean = [&](const std::vector<float>& of, int64_t w, int64_t i) {
    return (of[static_cast<size_t>(pieces[0] * w + i)] +
            of[static_cast<size_t>(pieces[1] * w + i)]) /
           2;
  };
  CHECK(bias[static_cast<size_t>(id[0])] == doctest::Approx(mean(old_bias, 1, 0)));
  for (int64_t i = 0; i < width; ++i)
    CHECK(rows[static_cast<size_t>(id[0] * width + i)] ==
          doctest::Approx(mean(old_rows, width, i)));
}

TEST_CASE("the words of a domain: those that save most tokens") {
  const Tokenizer tokenizer = with_unused();
  const WordCounts counts = {{"bird", 100}, {"birds", 7}, {"cardiac", 4},
                             {"cars", 9},   {"zebra", 8}, {"cardis", 1}};
  const auto words = domain_words(tokenizer, counts, 10, 2);
  std::vector<std::string> names;
  for (const DomainWord& word : words) names.push_back(word.word);
  // 9 * 1, then 4 * 2 and 8 * 1 ([UNK]) in the order of the list, 7 * 1
  CHECK(names == std::vector<std::string>{"cars", "cardiac", "zebra", "birds"});
  CHECK(words[2].pieces == std::vector<int32_t>{1});
  CHECK(domain_words(tokenizer, counts, 1, 2).size() == 1);
  CHECK(tokens_per_word(tokenizer, {{"bird", 3}, {"cardiac", 1}}) == doctest::Approx(6.0 / 4));
}
