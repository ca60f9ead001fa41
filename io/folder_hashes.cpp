#include "gradus/io/folder_hashes.h"

#include "gradus/base/file.h"
#include "gradus/io/model_folder.h"

namespace gradus {
namespace fs = std::filesystem;
namespace {

constexpr const char *config_key = "gradus.config_hash", *vocabulary_key = "gradus.vocabulary_hash";

std::string hash_of(const BertConfig& c) {
  std::string text = fmt::format(
      "{} {} {} {} {} {} {} {} {} {}", c.architectures.empty() ? "" : c.architectures[0],
      c.vocab_size, c.hidden_size, c.num_hidden_layers, c.num_attention_heads, c.intermediate_size,
      c.hidden_act, c.max_position_embeddings, c.type_vocab_size, c.layer_norm_eps);
  text += " " + c.problem_type;
  if (const auto& m = c.modern)
    text +=
        fmt::format(" modern {} {} {} {} {} {} {} {} {}", m->global_rope_theta, m->local_rope_theta,
                    m->global_attn_every_n_layers, m->local_attention, m->attention_bias,
                    m->mlp_bias, m->norm_bias, m->classifier_bias, m->mean_pooling);
  for (const auto& [id, label] : c.id2label) text += fmt::format("\n{} {}", id, label);
  return fmt::format("{:016x}", hash_bytes(text));
}

std::string hash_of(const Tokenizer& tokenizer) {
  return fmt::format("{:016x}", tokenizer.fingerprint());
}

}  // namespace

std::map<std::string, std::string> folder_hashes(const BertConfig& config,
                                                 const Tokenizer& tokenizer) {
  return {{config_key, hash_of(config)}, {vocabulary_key, hash_of(tokenizer)}};
}

std::string changed_since(const std::map<std::string, std::string>& metadata,
                          const fs::path& folder) {
  if (const auto said = metadata.find(config_key); said != metadata.end())
    if (fs::exists(folder / "config.json") && hash_of(load_config(folder)) != said->second)
      return "config.json";
  if (const auto said = metadata.find(vocabulary_key); said != metadata.end())
    if ((fs::exists(folder / "vocab.txt") || fs::exists(folder / "tokenizer.json")) &&
        hash_of(load_tokenizer(folder)) != said->second)
      return "the vocabulary";
  return "";
}

}  // namespace gradus
