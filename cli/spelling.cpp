#include "gradus/cli/spelling.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace gradus::cli {
namespace {

const std::map<std::string, std::string> spellings = {
    {"--per-device-train-batch-size", "--batch-size"},
    {"--train-batch-size", "--batch-size"},
    {"--num-train-epochs", "--epochs"},
    {"--init-checkpoint", "--init"},
    {"--warmup-ratio", "--warmup-steps"},
    {"--warmup-proportion", "--warmup-steps"},
    {"--lr-scheduler-type", "--schedule"},
    {"--mlm-probability", "--masked-lm-prob"},
    {"--do-whole-word-mask", "--whole-word-mask"},
    {"--random-seed", "--seed"},
    {"--overwrite-output-dir", "--overwrite"},
    {"--output-dir", "--out"},
    {"--vocab-file", "--vocab"},
    {"--model-name-or-path", "--model"},
    {"--vocab-size", "--size"},
    {"--train-file", "--train"},
    {"--validation-file", "--validation"},
    {"--task-name", "--task"},
    {"--max-train-samples", "--max-train-examples"},
    {"--label-smoothing-factor", "--label-smoothing"},
    {"--early-stopping-patience", "--patience"},
    {"--max-answer-len", "--max-answer-length"}};

// Fields of the library's options whose option is not called as they are.
const std::map<std::string, std::string> fields = {{"glue", "--task"},
                                                   {"long_texts", "--long"},
                                                   {"lower_case", "--cased"},
                                                   {"legacy_names", "--to"}};

std::string with_dashes(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

}  // namespace

std::string our_spelling(const std::string& argument) {
  if (!argument.starts_with("--")) return argument;
  const size_t end = std::min(argument.find('='), argument.size());
  const std::string name = with_dashes(argument.substr(0, end));
  const auto known = spellings.find(name);
  return (known == spellings.end() ? name : known->second) + argument.substr(end);
}

std::string with_options(const std::string& error) {
  constexpr std::string_view kField = "options.", kBuilder = "build_corpus()";
  std::string text;
  for (size_t at = 0; at < error.size();) {
    const size_t begin = std::min(error.find(kField, at), error.size());
    text += error.substr(at, begin - at);
    const size_t name = std::min(begin + kField.size(), error.size());
    at = std::min(error.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", name),
                  error.size());
    const std::string field = error.substr(name, at - name);
    const auto known = fields.find(field);
    if (known != fields.end()) text += known->second;
    else text += field.empty() ? error.substr(begin, at - begin) : "--" + with_dashes(field);
  }
  if (const size_t call = text.find(kBuilder); call != std::string::npos)
    text.replace(call, kBuilder.size(), "`gradus data build`");
  return text;
}

}  // namespace gradus::cli
