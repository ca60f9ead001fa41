// The sentences that a tagger got most wrong, for people.
#pragma once

#include <functional>

#include "gradus/tasks/tagging/conll.h"

namespace gradus {

// The five sentences with the most entities missed and made up, each with its line and those
// entities; "" where all are right. predicted: the tags of each word of each sentence; find: which
// entities tags spell out.
std::string entity_mistakes(const std::vector<TaggedSentence>& sentences,
                            const std::vector<Tags>& predicted,
                            const std::function<std::vector<Entity>(const Tags&)>& find);

}  // namespace gradus
