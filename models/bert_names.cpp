#include "gradus/models/bert_names.h"

namespace gradus {
namespace {

struct Row {
  std::string_view ours, theirs;
};

constexpr Row table[] = {
    {"attention.query", "attention.self.query"},
    {"attention.key", "attention.self.key"},
    {"attention.value", "attention.self.value"},
    {"attention.output", "attention.output.dense"},
    {"attention_norm", "attention.output.LayerNorm"},
    {"feed_forward.up", "intermediate.dense"},
    {"feed_forward.down", "output.dense"},
    {"output_norm", "output.LayerNorm"},
};

// Where `part`, one or several whole words of a name, stands in it.
size_t find_part(std::string_view name, std::string_view part) {
  for (size_t at = name.find(part); at != std::string_view::npos; at = name.find(part, at + 1)) {
    const size_t end = at + part.size();
    if ((at == 0 || name[at - 1] == '.') && (end == name.size() || name[end] == '.')) return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::string hugging_face_name(std::string_view name) {
  std::string result(name);
  for (const auto& [ours, theirs] : table)
    if (const size_t at = find_part(name, ours); at != std::string_view::npos)
      return result.replace(at, ours.size(), theirs);
  return result;
}

}  // namespace gradus
