// gradus tokenize: what a text becomes. A line in, a line out (with --stride: a line a window).
#include <fmt/ranges.h>

#include <charconv>

#include "gradus/base/json.h"
#include "gradus/cli/cli.h"
#include "gradus/cli/lines.h"
#include "gradus/io/model_folder.h"
#include "gradus/io/tokenizer_json.h"

namespace gradus::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct TokenizeOptions {
  std::string vocab, file = "-", mode = "hf", format = "text", truncation = "longest_first", save;
  bool cased = false, special = false, pair = false, words = false, decode = false,
       keep_special = false;
  int64_t max_length = 0, stride = -1;
};

Tokenizer load(const TokenizeOptions& o) {
  const std::optional<bool> lower_case = o.cased ? std::optional(false) : std::nullopt;
  const auto read = [&] {
    if (fs::is_directory(o.vocab)) return load_tokenizer(o.vocab);
    if (fs::path(o.vocab).extension() == ".json") return read_tokenizer_json(o.vocab, lower_case);
    return Tokenizer(Vocabulary::load(o.vocab));
  };
  const Tokenizer found = read();
  TokenizerOptions options = found.options();
  if (o.cased) options.lower_case = false;
  if (o.mode == "google") options.mode = TokenizerMode::google;
  return Tokenizer(found.vocabulary(), options);
}

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> words;
  for (size_t at = line.find_first_not_of(' '); at != std::string_view::npos;) {
    const size_t end = std::min(line.find(' ', at), line.size());
    words.emplace_back(line.substr(at, end - at));
    at = line.find_first_not_of(' ', end);
  }
  return words;
}

class Shower {
 public:
  Shower(const TokenizeOptions& o, const Tokenizer& tokenizer) : o_(o), tokenizer_(tokenizer) {}

  void operator()(std::string_view line, int64_t number) const {
    if (o_.decode) return decode(line, number);
    if (!o_.special) return show(encode(line));
    const size_t tab = o_.pair ? line.find('\t') : std::string_view::npos;
    if (o_.pair && tab == std::string_view::npos)
      fail("{}:{}: with --pair a line is two texts with a tab between them; there is no tab",
           o_.file, number);
    const Encoding first = encode(line.substr(0, tab)),
                   second = o_.pair ? encode(line.substr(tab + 1)) : Encoding{};
    Truncation truncation = Truncation::longest_first;
    if (o_.truncation == "only_first") truncation = Truncation::only_first;
    if (o_.truncation == "only_second") truncation = Truncation::only_second;
    if (o_.stride < 0)
      return show(o_.pair ? tokenizer_.sequence(first, second, o_.max_length, truncation)
                          : tokenizer_.sequence(first, o_.max_length));
    const auto windows =
        o_.pair ? tokenizer_.windows(first, second, o_.max_length, o_.stride, truncation)
                : tokenizer_.windows(first, o_.max_length, o_.stride);
    for (const Sequence& window : windows) show(window, number);
  }

 private:
  Encoding encode(std::string_view text) const {
    return o_.words ? tokenizer_.encode_words(split(text)) : tokenizer_.encode(text);
  }

  void decode(std::string_view line, int64_t number) const {
    std::vector<int32_t> ids;
    for (const std::string& word : split(line)) {
      int32_t id = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
      if (error != std::errc() || end != word.data() + word.size())
        fail("{}:{}: '{}' is not an id; --decode reads ids with blanks between", o_.file, number,
             word);
      ids.push_back(id);
    }
    fmt::print("{}\n", tokenizer_.decode(ids, !o_.keep_special));
  }

  // An Encoding or a Sequence; of a window, the line that it is of.
  template <class Tokens>
  void show(const Tokens& text, int64_t line = 0) const {
    std::vector<std::string> tokens;
    for (const int32_t id : text.ids) tokens.push_back(tokenizer_.vocabulary().token(id));
    if (o_.format == "text") return fmt::print("{}\n", fmt::join(tokens, " "));
    if (o_.format == "ids") return fmt::print("{}\n", fmt::join(text.ids, " "));
    Json json{
        {"tokens", tokens}, {"ids", text.ids}, {"offsets", text.offsets}, {"words", text.words}};
    if constexpr (requires { text.special; }) {
      json["types"] = text.types;
      json["special"] = text.special;
    }
    if (line) json["line"] = line;
    fmt::print("{}\n", json.dump());
  }

  const TokenizeOptions& o_;
  const Tokenizer& tokenizer_;
};

void save(const Tokenizer& tokenizer, const fs::path& path) {
  if (path.extension() != ".json") return tokenizer.vocabulary().save(path);
  tokenizer.vocabulary().require_special();
  write_file(path, tokenizer_json(tokenizer));
}

void run(TokenizeOptions o) {
  check(o.stride < 0 || o.max_length > 0,
        "--stride {} is for windows of a text that is too long; it needs --max-length", o.stride);
  check(o.pair || o.truncation != "only_second",
        "--truncation only_second is for pairs; it needs --pair");
  o.special |= o.pair || o.max_length > 0;
  const Tokenizer tokenizer = load(o);
  if (!o.save.empty()) return save(tokenizer, o.save);
  const Shower show(o, tokenizer);
  for_each_input_line(o.file, show, [] { std::fflush(stdout); });
}

}  // namespace

void add_tokenize(Verb& program) {
  auto o = std::make_shared<TokenizeOptions>();
  Verb verb = program.verb("tokenize", "show the pieces, ids and offsets of text");
  verb.option("--vocab", o->vocab, "vocab.txt, tokenizer.json or a model folder").required();
  verb.flag("--cased", o->cased, "keep capitals and accents");
  verb.option("--mode", o->mode, "rules: hf (the tokenizers package) or google (tokenization.py)")
      .one_of({"hf", "google"});
  verb.option("--format", o->format, "text, ids, or json (with offsets in code points)")
      .one_of({"text", "ids", "json"});
  verb.flag("--words", o->words, "a line is words already split, with blanks between");
  verb.flag("--special", o->special,
            "with [CLS] and [SEP], as a model reads it; the next three imply it");
  verb.flag("--pair", o->pair, "a line is two texts with a tab between");
  verb.option("--max-length", o->max_length, "cut to so many tokens; 0: never").not_negative();
  verb.option("--truncation", o->truncation,
              "of a pair, cut longest_first, only_first or only_second")
      .one_of({"longest_first", "only_first", "only_second"});
  verb.option("--stride", o->stride,
              "show what is cut too: a line a window, sharing so many tokens")
      .not_negative();
  verb.flag("--decode", o->decode, "a line is ids: show their text");
  verb.flag("--keep-special", o->keep_special, "with --decode: [CLS] and the like too");
  verb.option("--save", o->save,
              "write the vocabulary to F.txt, or with its rules to F.json, and end");
  verb.option("FILE", o->file, "a text file; - for standard input");
  verb.footer(
      "Example: echo \"An unaffable bird.\" | gradus tokenize --vocab vocab.txt --format json");
  verb.does([o] { run(*o); });
}

}  // namespace gradus::cli
