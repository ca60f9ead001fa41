#include "gradus/io/tokenizer_json.h"

#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "tests/io/small_model.h"

using namespace gradus;
using namespace gradus::testing;
using Json = nlohmann::ordered_json;

TEST_CASE("tokenizer.json: what is written is read, cased and uncased") {
  const Scratch scratch;
  for (const bool lower_case : {true, false}) {
    const Tokenizer tokenizer = small_tokenizer({.lower_case = lower_case});
    write_file(scratch / "tokenizer.json", tokenizer_json(tokenizer));
    CHECK(read_tokenizer_json(scratch / "tokenizer.json").fingerprint() == tokenizer.fingerprint());
    CHECK(read_tokenizer_json(scratch / "tokenizer.json", true).options().lower_case);
  }
}

TEST_CASE("tokenizer.json: other rules than BERT's are refused by name") {
  const Scratch scratch;
  const Json right = Json::parse(tokenizer_json(small_tokenizer()));
  const auto refused = [&](const char* pointer, const Json& value, const char* mentions) {
    Json json = right;
    json[Json::json_pointer(pointer)] = value;
    write_file(scratch / "tokenizer.json", json.dump());
    CHECK_MENTIONS(error_of([&] { read_tokenizer_json(scratch / "tokenizer.json"); }), mentions);
  };
  refused("/model/type", "BPE", "the model's type is \"BPE\"");
  refused("/model/max_input_chars_per_word", 50, "max_input_chars_per_word is 50");
  refused("/model/continuing_subword_prefix", "_", "\"_\"");
  refused("/model/vocab", nullptr, "no vocab");
  refused("/model/vocab/a", 12, "'a' has the id 12");
  refused("/model/vocab/a", -1, "'a' has the id -1");
  refused("/model/vocab/a", 6, "the same id 6");
  refused("/normalizer", nullptr, "the normalizer's type is null");
  refused("/normalizer/type", "Lowercase", "BertNormalizer");
  refused("/normalizer/strip_accents", false, "strip_accents is false");
  refused("/normalizer/lowercase", "yes", "lowercase is \"yes\"");
  refused("/pre_tokenizer/type", "Whitespace", "BertPreTokenizer");
  refused("/added_tokens/0/content", "[ENTITY]", "[ENTITY]");
  refused("/model", 5, "no vocab");
  write_file(scratch / "tokenizer.json", "[]");
  CHECK_MENTIONS(error_of([&] { read_tokenizer_json(scratch / "tokenizer.json"); }), "JSON object");
  write_file(scratch / "tokenizer.json", "{");
  CHECK_MENTIONS(error_of([&] { read_tokenizer_json(scratch / "tokenizer.json"); }),
                 "not valid JSON");
}

TEST_CASE("tokenizer.json of the published models is their vocab.txt") {
  const auto folder = shared_data("bert-vocab");
  if (folder.empty()) return;
  for (const auto& [name, lower_case] :
       {std::pair{"bert-base-uncased", true}, std::pair{"bert-base-multilingual-cased", false}}) {
    const Tokenizer tokenizer(Vocabulary::load(folder / (std::string(name) + "-vocab.txt")),
                              {.lower_case = lower_case});
    CHECK(read_tokenizer_json(folder / (std::string(name) + "-tokenizer.json")).fingerprint() ==
          tokenizer.fingerprint());
    const Scratch scratch;
    write_file(scratch / "tokenizer.json", tokenizer_json(tokenizer));
    CHECK(read_tokenizer_json(scratch / "tokenizer.json").fingerprint() == tokenizer.fingerprint());
  }
}
