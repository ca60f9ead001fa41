#include "gradus/tasks/options.h"

#include <algorithm>

#include "gradus/base/error.h"
#include "gradus/base/json.h"
#include "gradus/tasks/common.h"
#include "gradus/tasks/kinds.h"

namespace gradus {

void set_word(const TaskOption& option, const std::string& word) {
  const auto& [words, get, set] = std::get<WordOption>(option.value);
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) fail("options.{} {}: it is {}", option.name, word, listed(words, "or"));
  set(static_cast<size_t>(found - words.begin()));
}

namespace {

nlohmann::ordered_json value_of(const WordOption& option) { return option.words[option.get()]; }
nlohmann::ordered_json value_of(const std::optional<double>* value) {
  return *value ? nlohmann::ordered_json(**value) : nlohmann::ordered_json();
}
template <class T>
nlohmann::ordered_json value_of(const T* value) {
  return *value;
}

}  // namespace

void add_settings(nlohmann::ordered_json& settings, TaskOptions options) {
  const auto [reading, loss] = task_kind(options.kind).options(options);
  for (const auto* list : {&reading, &loss})
    for (const TaskOption& option : *list)
      settings[option.name] =
          std::visit([](const auto& value) { return value_of(value); }, option.value);
}

TaskOption labels_option(TaskOptions& o) {
  return {"labels", &o.labels, "names in the order of their ids"};
}
TaskOption class_weights_option(TaskOptions& o) {
  return {"class_weights", &o.class_weights, "balanced, or a=2,b=1"};
}
TaskOption columns_option(TaskOptions& o) {
  return {"columns", &o.columns, "names, comma-separated, of a file without a header"};
}
TaskOption doc_stride_option(TaskOptions& o) { return {"doc_stride", &o.doc_stride, "of windows"}; }

}  // namespace gradus
