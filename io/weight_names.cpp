#include "gradus/io/weight_names.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <vector>

#include "gradus/base/error.h"

namespace gradus {
namespace {

bool starts_with_any(const std::string& name, std::initializer_list<const char*> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](const char* beginning) { return name.starts_with(beginning); });
}

}  // namespace

WeightName from_torch(const std::string& name) {
  if (name.ends_with("position_ids"))
    return {"", false, "a buffer of the positions, which are counted"};
  std::string today = name;
  for (const auto& [old, now] :
       {std::pair<std::string, std::string>{"LayerNorm.gamma", "LayerNorm.weight"},
        {"LayerNorm.beta", "LayerNorm.bias"}})
    if (today.ends_with(old)) today.replace(today.size() - old.size(), old.size(), now);
  return {today, false, ""};
}

WeightName from_tensorflow(const std::string& name, const std::string& origin) {
  if (name.find(".ATTRIBUTES") != std::string::npos)
    fail(
        "{}: '{}' is of an object-based checkpoint of TensorFlow 2; Google's BERT checkpoints "
        "(bert/encoder/layer_0/…) are read",
        origin, name);
  std::vector<std::string> parts;
  std::istringstream path(name);
  for (std::string part; std::getline(path, part, '/');) parts.push_back(part);
  for (const std::string& part : parts) {
    if (part == "adam_m" || part == "adam_v" || part == "lamb_m" || part == "lamb_v")
      return {"", false, "its optimizer's state"};
    if (part == "global_step") return {"", false, "its count of training steps"};
  }
  static const std::map<std::string, std::string> now = {{"kernel", "weight"},
                                                         {"gamma", "weight"},
                                                         {"beta", "bias"},
                                                         {"output_weights", "weight"},
                                                         {"output_bias", "bias"}};
  if (parts.size() == 1 && name.starts_with("output_")) parts.insert(parts.begin(), "classifier");
  if (parts.size() == 3 && parts[0] == "cls" && parts[1] == "squad")
    parts = {"qa_outputs", parts[2]};
  WeightName result;
  for (size_t i = 0; i < parts.size(); ++i) {
    std::string part = parts[i];
    if (part.starts_with("layer_") && part.find_first_not_of("0123456789", 6) == std::string::npos)
      part[5] = '.';
    if (i + 1 == parts.size()) {
      result.transposed = part == "kernel";
      if (part.ends_with("_embeddings")) part += ".weight";
      if (const auto found = now.find(part); found != now.end()) part = found->second;
    }
    result.today += (i ? "." : "") + part;
  }
  return result;
}

std::string without_prefix(const std::string& name) {
  for (const std::string prefix : {"bert.", "model."})
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  return name;
}

bool belongs_to_body(const std::string& plain) {
  return starts_with_any(plain, {"embeddings.", "encoder.", "layers.", "final_norm."});
}

bool belongs_to_bert(const std::string& plain) {
  return belongs_to_body(plain) || starts_with_any(plain, {"pooler.", "cls.", "classifier.",
                                                           "qa_outputs.", "head.", "decoder."});
}

}  // namespace gradus
