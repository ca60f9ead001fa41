#include "gradus/models/bert_names.h"

#include <span>

#include "gradus/base/error.h"

namespace gradus {
namespace {

struct Row {
  std::string_view ours, theirs;
};

constexpr Row bert_table[] = {
    {"attention.query", "attention.self.query"},
    {"attention.key", "attention.self.key"},
    {"attention.value", "attention.self.value"},
    {"attention.output", "attention.output.dense"},
    {"attention_norm", "attention.output.LayerNorm"},
    {"feed_forward.up", "intermediate.dense"},
    {"feed_forward.down", "output.dense"},
    {"output_norm", "output.LayerNorm"},
};

constexpr Row modern_table[] = {
    {"attention.query", "attn.Wqkv"}, {"attention.key", "attn.Wqkv"},
    {"attention.value", "attn.Wqkv"}, {"attention.output", "attn.Wo"},
    {"attention_norm", "attn_norm"},  {"feed_forward.gate", "mlp.Wi"},
    {"feed_forward.up", "mlp.Wi"},    {"feed_forward.down", "mlp.Wo"},
    {"output_norm", "mlp_norm"},
};

// Where `part`, one or several whole words of a name, stands in it.
size_t find_part(std::string_view name, std::string_view part) {
  for (size_t at = name.find(part); at != std::string_view::npos; at = name.find(part, at + 1)) {
    const size_t end = at + part.size();
    if ((at == 0 || name[at - 1] == '.') && (end == name.size() || name[end] == '.')) return at;
  }
  return std::string_view::npos;
}

std::string renamed(std::string_view name, std::span<const Row> table) {
  std::string result(name);
  for (const auto& [ours, theirs] : table)
    if (const size_t at = find_part(name, ours); at != std::string_view::npos)
      return result.replace(at, ours.size(), theirs);
  return result;
}

}  // namespace

std::string bert_name(std::string_view name) { return renamed(name, bert_table); }
std::string modern_bert_name(std::string_view name) { return renamed(name, modern_table); }

std::string body_prefix(const BertConfig& config) { return config.modern ? "model." : "bert."; }
std::string layer_prefix(const BertConfig& config, int64_t layer) {
  return fmt::format("{}{}.{}.", body_prefix(config), config.modern ? "layers" : "encoder.layer",
                     layer);
}
std::string word_embeddings_name(const BertConfig& config) {
  return config.modern ? "embeddings.tok_embeddings.weight" : "embeddings.word_embeddings.weight";
}

}  // namespace gradus
