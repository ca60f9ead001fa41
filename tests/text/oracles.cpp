// What others give, replayed: tests/fixtures/tokenizer_cases.json (it names its oracles and their
// versions), and published conformance sets.
#include <fstream>

#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "gradus/text/tokenizer.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

const Json& fixture() {
  static const Json cases =
      Json::parse(read_file(fs::path(GRADUS_SOURCE_ROOT) / "tests/fixtures/tokenizer_cases.json"));
  return cases;
}

Tokenizer tokenizer_of(bool lower_case, TokenizerMode mode = TokenizerMode::hf) {
  return Tokenizer(Vocabulary(fixture()["vocabulary"].get<std::vector<std::string>>()),
                   {.lower_case = lower_case, .mode = mode});
}

// The arrays that a case names are those of `ours`, an Encoding or a Sequence.
template <class Tokens>
void check_same(const Tokens& ours, const Json& theirs, const std::string& text) {
  CHECK_MESSAGE(Json(ours.ids) == theirs["ids"], text);
  CHECK_MESSAGE(Json(ours.offsets) == theirs["offsets"], text);
  CHECK_MESSAGE(Json(ours.words) == theirs["words"], text);
}

}  // namespace

TEST_CASE("tokenizers: ids, offsets and words of texts, and of words given one by one") {
  REQUIRE(fixture()["cases"].size() > 400);
  for (const bool lower : {true, false}) {
    const Tokenizer tokenizer = tokenizer_of(lower);
    for (const Json& c : fixture()["cases"])
      if (c["lower"] == lower)
        check_same(tokenizer.encode(c["text"].get<std::string>()), c, c["text"].get<std::string>());
  }
  for (const Json& c : fixture()["words"])
    check_same(tokenizer_of(true).encode_words(c["text"].get<std::vector<std::string>>()), c,
               c["text"].dump());
}

TEST_CASE("tokenizers: pairs and single texts cut in three ways, with their windows") {
  const Tokenizer tokenizer = tokenizer_of(true);
  const std::map<std::string, Truncation> truncations{{"longest_first", Truncation::longest_first},
                                                      {"only_first", Truncation::only_first},
                                                      {"only_second", Truncation::only_second}};
  size_t refused = 0;
  for (const Json& c : fixture()["sequences"]) {
    const Encoding first = tokenizer.encode(c["first"].get<std::string>());
    const auto max_length = c["max_length"].get<int64_t>(), stride = c["stride"].get<int64_t>();
    const auto windows = [&] {
      if (c["second"].is_null()) return tokenizer.windows(first, max_length, stride);
      return tokenizer.windows(first, tokenizer.encode(c["second"].get<std::string>()), max_length,
                               stride, truncations.at(c["truncation"]));
    };
    const std::string what = c.dump();
    if (c["windows"].empty()) {
      ++refused;
      CHECK_MENTIONS(error_of(windows), "take a larger max_length");
      continue;
    }
    const std::vector<Sequence> ours = windows();
    REQUIRE_MESSAGE(ours.size() == c["windows"].size(), what);
    for (size_t i = 0; i < ours.size(); ++i) {
      check_same(ours[i], c["windows"][i], what);
      CHECK_MESSAGE(Json(ours[i].types) == c["windows"][i]["types"], what);
      CHECK_MESSAGE(Json(ours[i].special) == c["windows"][i]["special"], what);
    }
  }
  CHECK(refused > 3);
}

TEST_CASE("tokenizers: ids decoded to text") {
  const Tokenizer tokenizer = tokenizer_of(true);
  for (const Json& c : fixture()["decode"]) {
    CHECK(tokenizer.decode(c["ids"].get<std::vector<int32_t>>()) == c["text"].get<std::string>());
    CHECK(tokenizer.decode(c["ids"].get<std::vector<int32_t>>(), false) ==
          c["with_special"].get<std::string>());
  }
}

TEST_CASE("google: ids, pairs cut, the windows of run_squad.py") {
  for (const bool lower : {true, false}) {
    const Tokenizer tokenizer = tokenizer_of(lower, TokenizerMode::google);
    for (const Json& c : fixture()["google"])
      if (c["lower"] == lower)
        CHECK_MESSAGE(Json(tokenizer.encode(c["text"].get<std::string>()).ids) == c["ids"],
                      c["text"].get<std::string>());
  }
  for (const Json& c : fixture()["google_cuts"])
    CHECK_MESSAGE(Json(longest_first(c["lengths"][0], c["lengths"][1], c["limit"],
                                     TokenizerMode::google)) == c["kept"],
                  c.dump());
  for (const Json& c : fixture()["google_spans"]) {
    Json spans;
    for (const TokenRange& range : window_ranges(c["length"], c["most"], c["doc_stride"]))
      spans.push_back({range.begin, range.end});
    CHECK_MESSAGE(spans == c["spans"], c.dump());
  }
}

TEST_CASE("conformance cases of llama.cpp's BERT vocabulary") {
  const fs::path vocab = shared_data("bert-vocab/bert-base-uncased-vocab.txt"),
                 folder = shared_data("tokenizer-fixtures/llamacpp-bert-bge");
  if (vocab.empty() || folder.empty()) return;
  const Tokenizer tokenizer(Vocabulary::load(vocab));
  fs::path inputs, outputs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".inp") inputs = entry.path();
    if (entry.path().extension() == ".out") outputs = entry.path();
  }
  // Texts are separated by a line __ggml_vocab_test__; a line of ids each.
  const std::string text = read_file(inputs), mark = "\n__ggml_vocab_test__\n";
  std::ifstream lines(outputs);
  size_t at = 0, count = 0;
  for (std::string line; std::getline(lines, line) && at <= text.size(); ++count) {
    const size_t end = std::min(text.find(mark, at), text.size());
    std::istringstream numbers(line);
    std::vector<int32_t> expected;
    for (int32_t id; numbers >> id;)
      if (id != tokenizer.vocabulary().cls() && id != tokenizer.vocabulary().sep())
        expected.push_back(id);
    CHECK_MESSAGE(tokenizer.encode(text.substr(at, end - at)).ids == expected,
                  text.substr(at, end - at));
    at = end + mark.size();
  }
  CHECK(count == 46);
}

TEST_CASE("conformance cases of jammi's small vocabularies") {
  const fs::path folder = shared_data("tokenizer-fixtures/jammi-wordpiece");
  if (folder.empty()) return;
  size_t count = 0;
  const Json expected = Json::parse(read_file(folder / "expected_ids.json"));
  for (const auto& [name, cases] : expected.items()) {
    const Tokenizer tokenizer(Vocabulary::load(folder / name / "vocab.txt"),
                              {.lower_case = name == "uncased"});
    for (const Json& c : cases) {
      const std::string text = c["text"].get<std::string>();
      CHECK_MESSAGE(Json(tokenizer.sequence(tokenizer.encode(text)).ids) == c["ids"], text);
      ++count;
    }
  }
  CHECK(count == 18);
}
