// tokenizer.json, the file of Hugging Face's `tokenizers` package: vocabulary and rules in one.
// What BertWordPieceTokenizer writes is read and written; other rules than BERT's (another
// normalizer, BPE, added tokens of one's own) are refused by name, for they would silently give
// other ids.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "gradus/text/tokenizer.h"

namespace gradus {

std::string tokenizer_json(const Tokenizer& tokenizer);

// Where lower_case is given, it is tokenizer_config.json that states the rules: then only the
// vocabulary is taken, as `transformers` does.
Tokenizer read_tokenizer_json(const std::filesystem::path& path,
                              std::optional<bool> lower_case = {});

}  // namespace gradus
