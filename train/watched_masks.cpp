#include "gradus/train/watched_masks.h"

#include "gradus/base/error.h"
#include "gradus/data/line_reader.h"

namespace gradus {
namespace {

constexpr int shown = 3;  // words a mask

std::string line_of(const std::string& text, const std::vector<MaskAnswers>& masks) {
  std::string line = text + " ";
  for (const MaskAnswers& answers : masks) {
    line += " |";
    for (const MaskAnswer& answer : answers)
      line += fmt::format(" {} {:.0f} %", answer.token, 100 * answer.probability);
  }
  return line;
}

}  // namespace

WatchedMasks::WatchedMasks(const std::filesystem::path& file, const BertForMaskedLM& model,
                           const Tokenizer& tokenizer) {
  LineReader lines(file);
  for (std::string line; lines.next(line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    try {
      fill_mask(model, tokenizer, line, shown);
    } catch (const Error& error) {
      fail("{}, line {}: {}", file.string(), lines.number(), error.what());
    }
    texts_.push_back(std::move(line));
  }
  check(!texts_.empty(), "{}: there is no text in it; it wants a sentence with [MASK] a line",
        file.string());
}

std::vector<std::string> WatchedMasks::filled(const BertForMaskedLM& model,
                                              const Tokenizer& tokenizer) const {
  std::vector<std::string> lines;
  for (const std::string& sentence : texts_)
    lines.push_back(line_of(sentence, fill_mask(model, tokenizer, sentence, shown)));
  return lines;
}

}  // namespace gradus
