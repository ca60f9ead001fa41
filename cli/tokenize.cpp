// gradus tokenize: what a text becomes. A line in, a line out.
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>

#include "base/file.h"
#include "cli/cli.h"
#include "text/tokenizer.h"

namespace gradus::cli {
namespace {

struct TokenizeOptions {
  std::string vocab, file = "-", mode = "hf", format = "text";
  bool cased = false;
};

void run(const TokenizeOptions& o) {
  check(o.mode == "hf" || o.mode == "google", "--mode {}: it is hf or google", o.mode);
  check(o.format == "text" || o.format == "ids" || o.format == "json", "--format {}: it is text, ids or json", o.format);
  const Tokenizer tokenizer(Vocabulary::load(o.vocab), {.lower_case = !o.cased, .mode = o.mode == "google" ? TokenizerMode::google : TokenizerMode::hf});
  const auto show = [&](std::string_view line) {
    const Encoding encoding = tokenizer.encode(line);
    std::vector<std::string> tokens;
    for (const int32_t id : encoding.ids) tokens.push_back(tokenizer.vocabulary().token(id));
    if (o.format == "text") fmt::print("{}\n", fmt::join(tokens, " "));
    else if (o.format == "ids") fmt::print("{}\n", fmt::join(encoding.ids, " "));
    else fmt::print("{}\n", nlohmann::ordered_json{{"tokens", tokens}, {"ids", encoding.ids}, {"offsets", encoding.offsets}, {"words", encoding.words}}.dump());
  };
  if (o.file != "-") return for_each_line(o.file, [&](std::string_view line, int64_t) { show(line); });
  int64_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    ++number;
    if (find_invalid_utf8(line) != std::string_view::npos) fail("standard input, line {}: not valid UTF-8", number);
    show(line);
  }
}

}  // namespace

void add_tokenize(CLI::App& app) {
  auto o = std::make_shared<TokenizeOptions>();
  CLI::App* verb = app.add_subcommand("tokenize", "show the pieces, ids and offsets of text");
  verb->add_option("--vocab", o->vocab, "vocab.txt")->required();
  verb->add_flag("--cased", o->cased, "keep capitals and accents");
  verb->add_option("--mode", o->mode, "rules: hf (the tokenizers package) or google (tokenization.py)")->capture_default_str();
  verb->add_option("--format", o->format, "text, ids, or json (with offsets in code points)")->capture_default_str();
  verb->add_option("FILE", o->file, "a text file; - for standard input")->capture_default_str();
  verb->footer("Example: echo \"An unaffable bird.\" | gradus tokenize --vocab vocab.txt --format json");
  verb->callback([o] { run(*o); });
}

}  // namespace gradus::cli
