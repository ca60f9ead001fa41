// The options of ner.
#pragma once

namespace gradus {

struct TaggingTaskOptions {
  bool strict_entities = false;   // count them as the tagging scheme demands
  bool label_all_tokens = false;  // further pieces of a word are labelled too
};

}  // namespace gradus
