// gradus data build | inspect | story.
#include "gradus/cli/data_verbs.h"

namespace gradus::cli {

void add_data(Verb& program) {
  Verb data =
      program.verb("data", "Build and inspect training corpora; write the story world's documents");
  add_build(data);
  add_inspect(data);
  add_story(data);
}

}  // namespace gradus::cli
