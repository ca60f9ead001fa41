// Entities found, as seqeval counts them: one is right where its type and both its ends are.
#pragma once

#include <map>
#include <optional>

#include "gradus/tasks/tagging/tags.h"
#include "gradus/tasks/text/classification.h"

namespace gradus {

struct EntityScores {
  std::map<std::string, ClassScore> types;
  ClassScore micro, macro, weighted;  // micro: over all entities, what is usually reported
  double accuracy = 0;                // of the tags, a word each
};

// Sentences of gold and predicted tags, word by word. Without a scheme as conlleval.pl and
// seqeval's default (entities()), with one as its strict mode (strict_entities()). Different
// numbers of sentences or words are an Error.
EntityScores score_entities(const std::vector<Tags>& gold, const std::vector<Tags>& predicted,
                            std::optional<TagScheme> strict = {});

// precision, recall, f1 (micro), f1_macro, accuracy
Metrics entity_metrics(const EntityScores& scores);
std::string entity_table(const EntityScores& scores);  // per type, and the averages

}  // namespace gradus
