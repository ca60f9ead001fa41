#include "gradus/io/tokenizer_json.h"

#include <set>

#include "gradus/base/error.h"
#include "gradus/base/json.h"

namespace gradus {

std::string tokenizer_json(const Tokenizer& tokenizer) {
  using Json = nlohmann::ordered_json;
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  Json added = Json::array();
  for (const int32_t id : std::set<int32_t>{vocabulary.pad(), vocabulary.unk(), vocabulary.cls(),
                                            vocabulary.sep(), vocabulary.mask()})
    added.push_back({{"id", id},
                     {"content", vocabulary.token(id)},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});

  Json::object_t vocab;
  for (int32_t id = 0; id < vocabulary.size(); ++id)
    if (const std::string& token = vocabulary.token(id); vocabulary.find(token) == id)
      add_member(vocab, token, id);

  const auto piece = [](const char* kind, const std::string& id, int type) {
    return Json{{kind, {{"id", id}, {"type_id", type}}}};
  };
  const auto special = [&](int32_t id) {
    return Json{{"id", vocabulary.token(id)}, {"ids", {id}}, {"tokens", {vocabulary.token(id)}}};
  };
  const std::string cls = vocabulary.token(vocabulary.cls()),
                    sep = vocabulary.token(vocabulary.sep());
  Json json;
  json["version"] = "1.0";
  json["truncation"] = nullptr;
  json["padding"] = nullptr;
  json["added_tokens"] = std::move(added);
  json["normalizer"] = {{"type", "BertNormalizer"},
                        {"clean_text", true},
                        {"handle_chinese_chars", true},
                        {"strip_accents", nullptr},
                        {"lowercase", tokenizer.options().lower_case}};
  json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  json["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single",
       {piece("SpecialToken", cls, 0), piece("Sequence", "A", 0), piece("SpecialToken", sep, 0)}},
      {"pair",
       {piece("SpecialToken", cls, 0), piece("Sequence", "A", 0), piece("SpecialToken", sep, 0),
        piece("Sequence", "B", 1), piece("SpecialToken", sep, 1)}},
      {"special_tokens", {{cls, special(vocabulary.cls())}, {sep, special(vocabulary.sep())}}}};
  json["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
  json["model"] = {{"type", "WordPiece"},
                   {"unk_token", vocabulary.token(vocabulary.unk())},
                   {"continuing_subword_prefix", "##"},
                   {"max_input_chars_per_word", 100}};
  json["model"]["vocab"] = std::move(vocab);
  return json.dump(2) + "\n";
}

namespace {
using Json = nlohmann::json;

// An Error unless object[key] is `wanted`, or is missing and may be.
void require(const std::string& file, const char* part, const Json& object, const char* key,
             const Json& wanted, bool may_be_missing = true) {
  const Json found = object.is_object() && object.contains(key) ? object[key] : Json();
  if (found == wanted || (found.is_null() && may_be_missing)) return;
  fail("{}: the {}'s {} is {}; only {}, as BertWordPieceTokenizer writes it, can be read", file,
       part, key, found.dump(), wanted.dump());
}

bool lower_case_of(const std::string& file, const Json& json) {
  const Json normalizer = json.value("normalizer", Json());
  require(file, "normalizer", normalizer, "type", "BertNormalizer", false);
  require(file, "normalizer", normalizer, "clean_text", true);
  require(file, "normalizer", normalizer, "handle_chinese_chars", true);
  const Json lower_case = normalizer.value("lowercase", Json(true));
  check(lower_case.is_boolean(), "{}: the normalizer's lowercase is {}; it must be true or false",
        file, lower_case.dump());
  require(file, "normalizer", normalizer, "strip_accents", lower_case);
  require(file, "pre_tokenizer", json.value("pre_tokenizer", Json()), "type", "BertPreTokenizer",
          false);
  return lower_case.get<bool>();
}

std::vector<std::string> tokens_of(const std::string& file, const Json& vocab) {
  check(vocab.is_object() && !vocab.empty(),
        "{}: the model has no vocab, an object of tokens and their ids", file);
  std::vector<std::string> tokens(vocab.size());
  for (const auto& [token, id] : vocab.items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= tokens.size())
      fail("{}: '{}' has the id {}; the {} tokens have the ids 0..{}", file, token, id.dump(),
           tokens.size(), tokens.size() - 1);
    std::string& place = tokens[id.get<uint64_t>()];
    if (!place.empty())
      fail("{}: '{}' and '{}' have the same id {}", file, place, token, id.dump());
    if (token.empty()) fail("{}: the token with the id {} is empty", file, id.dump());
    place = token;
  }
  return tokens;
}
}  // namespace

Tokenizer read_tokenizer_json(const std::filesystem::path& path, std::optional<bool> lower_case) {
  const std::string file = path.string();
  const Json json = read_json(path);
  const Json model = json.value("model", Json());
  require(file, "model", model, "type", "WordPiece");
  require(file, "model", model, "unk_token", "[UNK]");
  require(file, "model", model, "continuing_subword_prefix", "##");
  require(file, "model", model, "max_input_chars_per_word", 100);
  Vocabulary vocabulary(tokens_of(file, model.is_object() ? model.value("vocab", Json()) : Json()),
                        file);
  const Json added = json.value("added_tokens", Json::array());
  for (const Json& token : added) {
    const Json content = token.is_object() ? token.value("content", Json()) : Json();
    if (!content.is_string() || !vocabulary.is_special(vocabulary.find(content.get<std::string>())))
      fail(
          "{}: the added token {} cannot be read; only [PAD], [UNK], [CLS], [SEP] and [MASK], each "
          "in the vocabulary, can",
          file, content.dump());
  }
  return Tokenizer(std::move(vocabulary),
                   {.lower_case = lower_case ? *lower_case : lower_case_of(file, json)});
}

}  // namespace gradus
