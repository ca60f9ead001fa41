// The verbs of `gradus data`.
#pragma once

#include "gradus/cli/cli.h"

namespace gradus {
class CorpusFile;
}

namespace gradus::cli {

void add_build(Verb& data);
void add_inspect(Verb& data);
void add_story(Verb& data);

void print_statistics(const CorpusFile& corpus);

}  // namespace gradus::cli
