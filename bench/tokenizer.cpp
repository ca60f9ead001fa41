// bench/tokenizer: how fast text becomes tokens, on one thread; the words of the text are what a
// cache or a table must be good at, so give real text.
//   bench-tokenizer VOCAB FILE...   MB/s with offsets and words, and of the ids alone, as one line
//                                   of JSON
// scripts/bench_tokenizers.py runs it in turns with the `tokenizers` package.
#include <fmt/format.h>

#include <chrono>

#include "gradus/base/error.h"
#include "gradus/base/file.h"
#include "gradus/text/tokenizer.h"

namespace {

using namespace gradus;

// Seconds for all lines, and the tokens they became.
template <class F>
std::pair<double, size_t> run(const std::vector<std::string>& lines, F&& tokens_of) {
  const auto start = std::chrono::steady_clock::now();
  size_t tokens = 0;
  for (const std::string& line : lines) tokens += tokens_of(line);
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), tokens};
}

void bench(const std::string& vocab, const std::vector<std::string>& files) {
  const Tokenizer tokenizer(Vocabulary::load(vocab));
  std::vector<std::string> lines;
  size_t bytes = 0;
  for (const std::string& file : files)
    for_each_line(file, [&](std::string_view line, int64_t) {
      lines.emplace_back(line);
      bytes += line.size() + 1;
    });
  const auto [seconds, tokens] =
      run(lines, [&](const std::string& line) { return tokenizer.encode(line).ids.size(); });
  std::vector<int32_t> ids;
  const auto [ids_seconds, same_tokens] = run(lines, [&](const std::string& line) {
    ids.clear();
    tokenizer.append_ids(line, ids);
    return ids.size();
  });
  if (tokens != same_tokens) fail("encode gives {} tokens, append_ids {}", tokens, same_tokens);
  const double megabytes = static_cast<double>(bytes) / 1e6;
  fmt::print(
      "{{\"megabytes\": {:.2f}, \"tokens\": {}, \"with_offsets_mb_s\": {:.2f}, \"ids_mb_s\": "
      "{:.2f}}}\n",
      megabytes, tokens, megabytes / seconds, megabytes / ids_seconds);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    check(argc >= 3, "usage: bench-tokenizer VOCAB FILE...");
    bench(argv[1], {argv + 2, argv + argc});
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "bench-tokenizer: {}\n", error.what());
    return error.exit_code;
  }
}
