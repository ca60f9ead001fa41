// What the library calls its options, in the words of the program.
#include "gradus/cli/spelling.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "gradus/tasks/kinds.h"
#include "tests/structure/sources.h"
#include "tests/support.h"

namespace gradus::testing {

TEST_CASE("errors that name options of the library name those of the program") {
  using cli::with_options;
  CHECK(with_options("out: the folder is not empty; write into it, with options.overwrite") ==
        "out: the folder is not empty; write into it, with --overwrite");
  CHECK(with_options("options.max_seq_length 3 is less than options.doc_stride.") ==
        "--max-seq-length 3 is less than --doc-stride.");
  CHECK(with_options("options.glue rte and options.long_texts tail") ==
        "--task rte and --long tail");
  CHECK(with_options("as in build_corpus()") == "as in `gradus data build`");
  CHECK(with_options("none of these options. And so on") == "none of these options. And so on");
  CHECK(with_options("") == "");
}

// Every options.FIELD that an error of the rooms below speaks of is some verb's option.
TEST_CASE("what the library's errors call an option, the program has") {
  std::string verbs;
  for (const auto& path : sources_in(source_root / "cli")) verbs += read_file(path);
  for (const TaskKind& kind : task_kinds()) {
    TaskOptions task;
    const auto [reading, loss] = kind.options(task);
    for (const auto* list : {&reading, &loss})
      for (const TaskOption& option : *list)
        verbs += '"' + cli::with_options("options." + option.name) + '"';
  }
  int fields = 0;
  for (const char* room : {"base", "data", "io", "models", "story", "tasks", "text", "train"})
    for (const auto& path : sources_in(source_root / room)) {
      std::istringstream lines(read_file(path));
      for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("#include")) continue;
        for (size_t at = line.find('"'); at != std::string::npos; at = line.find('"', at + 1)) {
          const size_t end = std::min(line.find('"', at + 1), line.size());
          const std::string literal = line.substr(at + 1, end - at - 1);
          for (size_t name = literal.find("options."); name != std::string::npos;
               name = literal.find("options.", name + 1)) {
            const size_t after =
                literal.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", name + 8);
            const std::string field = literal.substr(name, after - name);
            if (field == "options.") continue;  // of a name that follows
            ++fields;
            const std::string option = cli::with_options(field);
            CHECK_MESSAGE((verbs.find('"' + option + '"') != std::string::npos ||
                           verbs.find("\"!" + option + '"') != std::string::npos),
                          std::filesystem::relative(path, source_root).string(), " speaks of ",
                          field, ", and no verb has ", option);
          }
          at = end;
          if (at == line.size()) break;
        }
      }
    }
  CHECK(fields > 40);
}

TEST_CASE("other programs' spellings are ours") {
  using cli::our_spelling;
  CHECK(our_spelling("--max_seq_length=64") == "--max-seq-length=64");
  CHECK(our_spelling("--num_train_epochs") == "--epochs");
  CHECK(our_spelling("a_file.txt") == "a_file.txt");
}

}  // namespace gradus::testing
