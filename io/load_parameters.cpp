#include <algorithm>
#include <set>

#include "gradus/io/model_folder.h"
#include "gradus/io/weight_names.h"
#include "gradus/io/weights.h"

namespace gradus {
namespace {

std::string first_of(const std::vector<std::string>& list) {
  std::string text;
  for (size_t i = 0; i < list.size() && i < 6; ++i) text += (i ? ", " : "") + list[i];
  return list.size() > 6 ? fmt::format("{} and {} more", text, list.size() - 6) : text;
}

void require_finite(const Weight& weight) {
  if (const int64_t count = weight.tensor.count_not_finite())
    fail("{}: '{}' has {} values that are not finite; such a model answers with nothing but NaN",
         weight.file->path().string(), weight.name, count);
}

}  // namespace

std::string LoadReport::to_text() const {
  std::string text = fmt::format("{} parameters loaded", loaded.size());
  if (!fresh.empty())
    text +=
        fmt::format("; {} new, not in the file, to be trained: {}", fresh.size(), first_of(fresh));
  if (!unused.empty())
    text += fmt::format("; {} tensors of the file not used: {}", unused.size(), first_of(unused));
  for (const std::string& note : notes) text += "; " + note;
  return text;
}

void LoadReport::require_trained(const std::string& head,
                                 const std::vector<std::string>& not_needed) const {
  for (const std::string& name : fresh)
    if (std::none_of(not_needed.begin(), not_needed.end(),
                     [&](const std::string& pattern) { return matches(name, pattern); }))
      fail(
          "{}: it has no '{}', so its {} was never trained and would answer at random; take a "
          "folder that was trained for it",
          origin, name, head);
}

LoadReport load_parameters(const Weights& weights, const std::string& origin,
                           const std::vector<Parameter>& parameters, Body body) {
  LoadReport report;
  report.origin = origin;
  std::set<const Weight*> used;
  std::vector<std::pair<const Parameter*, const Weight*>> plan;
  std::vector<std::string> missing;
  for (const Parameter& p : parameters) {
    if (p.tied) continue;
    const Weight* weight = weights.find(p.name);
    for (const Parameter& alias : parameters) {
      if (!alias.tied || !alias.leaf.same(p.leaf)) continue;
      const Weight* other = weights.find(alias.name);
      if (!other) continue;
      used.insert(other);
      if (!weight) weight = other;
      else if (!weight->tensor.same_values(other->tensor))
        fail("{}: '{}' and '{}' differ, but are one parameter of this model (tied weights)", origin,
             weight->name, other->name);
    }
    (weight ? report.loaded : report.fresh).push_back(p.name);
    if (!weight && belongs_to_body(without_prefix(p.name))) missing.push_back(p.name);
    if (!weight) continue;
    weight->file->require_readable(weight->name, weight->tensor, p.view().shape());
    require_finite(*weight);
    used.insert(weight);
    plan.emplace_back(&p, weight);
  }
  if (plan.empty())
    fail("{}: none of its {} tensors is a parameter of this model", origin, weights.all().size());
  if (!missing.empty() && body == Body::whole)
    fail(
        "{}: {} parameters of the model's body are not in it: {}; is the configuration another "
        "model's?",
        origin, missing.size(), first_of(missing));
  for (const auto& [parameter, weight] : plan) {
    Tensor view = parameter->view();
    weight->tensor.read(view);
  }
  for (const auto& [name, weight] : weights.all())
    if (!used.contains(&weight)) report.unused.push_back(weight.name);
  return report;
}

LoadReport load_parameters(const std::filesystem::path& model,
                           const std::vector<Parameter>& parameters, Body body) {
  LoadReport report = load_parameters(Weights(model), model.string(), parameters, body);
  if (std::string note = note_on_config(model); !note.empty())
    report.notes.push_back(std::move(note));
  return report;
}

}  // namespace gradus
