#include "gradus/tasks/tagging/mistakes.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "gradus/tasks/common.h"

namespace gradus {
namespace {

// "PER 'Ann', LOC 'Rome'": those of `these` that are not among `others`.
std::vector<std::string> only_in(const std::vector<Entity>& these,
                                 const std::vector<Entity>& others,
                                 const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const Entity& entity : these)
    if (std::find(others.begin(), others.end(), entity) == others.end())
      names.push_back(
          fmt::format("{} '{}'", entity.type,
                      fmt::join(words.begin() + entity.begin, words.begin() + entity.end, " ")));
  return names;
}

}  // namespace

std::string entity_mistakes(const std::vector<TaggedSentence>& sentences,
                            const std::vector<Tags>& predicted,
                            const std::function<std::vector<Entity>(const Tags&)>& find) {
  // their number, and how the sentence is shown
  std::vector<std::pair<size_t, std::string>> mistakes;
  for (size_t s = 0; s < sentences.size(); ++s) {
    const TaggedSentence& sentence = sentences[s];
    const std::vector<Entity> wanted = find(sentence.tags), found = find(predicted[s]);
    const auto missed = only_in(wanted, found, sentence.words),
               extra = only_in(found, wanted, sentence.words);
    if (missed.empty() && extra.empty()) continue;
    std::string text = fmt::format("  line {:<6} {}\n", sentence.line,
                                   excerpt(fmt::format("{}", fmt::join(sentence.words, " "))));
    for (const auto& [title, names] : {std::pair("missed", &missed), std::pair("extra ", &extra)})
      if (!names->empty())
        text += fmt::format("              {} {}\n", title,
                            excerpt(fmt::format("{}", fmt::join(*names, ", "))));
    mistakes.emplace_back(missed.size() + extra.size(), std::move(text));
  }
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text = mistakes.empty() ? "" : "the worst mistakes\n";
  for (size_t i = 0; i < std::min<size_t>(5, mistakes.size()); ++i) text += mistakes[i].second;
  return text;
}

}  // namespace gradus
