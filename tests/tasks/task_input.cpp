// Where tasks read from, and what they refuse.
#include <fcntl.h>
#include <unistd.h>

#include "tests/tasks/task_support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// Standard input is a file that holds `text` as long as this lives.
struct StandardInput {
  Scratch scratch;
  int before = ::dup(STDIN_FILENO);
  explicit StandardInput(const std::string& text) {
    write_file(scratch / "input", text);
    const int file = ::open((scratch / "input").c_str(), O_RDONLY);
    ::dup2(file, STDIN_FILENO);
    ::close(file);
  }
  ~StandardInput() {
    ::dup2(before, STDIN_FILENO);
    ::close(before);
  }
};

}  // namespace

TEST_CASE("standard input is lines of text for ner, JSON lines for qa") {
  {
    const StandardInput input("ann saw\n\nben");
    const auto task =
        Task::make({.kind = "ner", .labels = {"O", "B-PER"}}, tokenizer(), BertConfig());
    const auto stream = task->stream("-");
    CHECK(stream()->examples() == 3);
    CHECK_FALSE(stream());
  }
  std::string rows;
  for (int i = 0; i < 257; ++i)
    rows += R"({"question": "who?", "context": "ann"})"
            "\n";
  const StandardInput input(rows);
  const auto task = Task::make({.kind = "qa"}, tokenizer(), BertConfig());
  const auto stream = task->stream("-");
  CHECK(stream()->examples() == 256);
  const auto last = stream();
  CHECK(predictions(*last, {span(6, 4, 4)}, 256)[0]["id"] == "256");  // [CLS] who ? [SEP] ann [SEP]
  CHECK_FALSE(stream());
}

TEST_CASE("tasks refuse what cannot be right") {
  const Files files;
  const auto made = [&](const TaskOptions& options) {
    return error_of([&] { Task::make(options, tokenizer(), BertConfig()); });
  };
  CHECK_MENTIONS(made({.kind = "ner", .text = {.label_smoothing = 0.1}}),
                 "options.label_smoothing and options.focal_gamma are for classify");
  CHECK_MENTIONS(made({.kind = "ner", .labels = {"B-PER", "I-PER"}}), "lack O");
  CHECK_MENTIONS(made({.kind = "ner", .labels = {"O", "PER"}}), "'PER' is not a tag");
  CHECK_MENTIONS(made({.kind = "ner", .text = {.text_column = "words"}}),
                 "ner reads columns without names");
  CHECK_MENTIONS(made({.kind = "ner", .text = {.long_texts = LongTexts::tail}}),
                 "options.long_texts tail is not for ner");
  CHECK_MENTIONS(made({.kind = "qa", .class_weights = "balanced"}),
                 "options.class_weights are for classify");
  CHECK_MENTIONS(made({.kind = "qa", .question = {.n_best_size = 0}}), "options.n_best_size 0");
  CHECK_MENTIONS(made({.kind = "qa", .question = {.max_answer_length = 0}}),
                 "options.max_answer_length 0");
  CHECK_MENTIONS(made({.kind = "regress", .class_weights = "a=2"}),
                 "options.class_weights is for classify and ner");
  CHECK_MENTIONS(made({.kind = "parse"}), "no task is called 'parse'");

  const auto read = [&](const TaskOptions& options, const std::filesystem::path& path,
                        TaskUse use) {
    return error_of([&] { Task::make(options, tokenizer(), BertConfig())->read(path, use); });
  };
  const auto tags = files("t.conll", conll);
  const auto texts = files("t.tsv", "text\tlabel\nann\tgood\n");
  CHECK_MENTIONS(read({.kind = "ner", .class_weights = "B-ORG=2"}, tags, TaskUse::training),
                 "there is no class 'B-ORG'");
  CHECK_MENTIONS(read({.kind = "classify", .class_weights = "fair=2"}, texts, TaskUse::training),
                 "there is no class 'fair'");
  CHECK_MENTIONS(read({.kind = "ner", .labels = {"O", "B-LOC"}}, tags, TaskUse::validation),
                 "t.conll:1");
  CHECK_MENTIONS(read({.kind = "classify", .labels = {"bad", "fair"}}, texts, TaskUse::validation),
                 "t.tsv:2");
  CHECK_MENTIONS(read({.kind = "ner"}, tags, TaskUse::prediction), "the tags are not known");
  CHECK_MENTIONS(
      read({.kind = "ner", .labels = {"O", "B-LOC"}}, files("empty.txt", ""), TaskUse::prediction),
      "it holds no lines");
  CHECK_MENTIONS(read({.kind = "ner"}, files("empty.conll", ""), TaskUse::training),
                 "it holds no words");
  CHECK_MENTIONS(read({.kind = "ner", .labels = {"O", "B-LOC"}}, files("bad.txt", "ann\n\xFF\n"),
                      TaskUse::prediction),
                 "bad.txt:2");

  const auto questions = files("q.json", squad(Json::array({squad_question("x", "Ann", 2)})));
  CHECK_MENTIONS(
      read({.kind = "qa", .max_seq_length = 9, .doc_stride = 4}, questions, TaskUse::training),
      "windows of 4 tokens cannot overlap by 4");
  CHECK_MENTIONS(
      read({.kind = "qa", .doc_stride = 0, .question = {.stride_meaning = StrideMeaning::step}},
           questions, TaskUse::training),
      "options.doc_stride 0");
  Json bare = squad_question("x", "Ann", 2);
  bare.erase("answers");
  CHECK_MENTIONS(
      read({.kind = "qa"}, files("bare.json", squad(Json::array({bare}))), TaskUse::validation),
      "question 'x' has no \"answers\"");
  CHECK_MENTIONS(read({.kind = "qa"}, files("c.jsonl", R"({"question": "who?", "text": "ann"})"),
                      TaskUse::prediction),
                 "no column 'context'");
  CHECK_MENTIONS(read({.kind = "qa"},
                      files("d.jsonl",
                            "{\"id\": \"a\", \"question\": \"who?\", \"context\": "
                            "\"ann\"}\n{\"id\": \"a\", \"question\": \"?\", \"context\": \"\"}\n"),
                      TaskUse::prediction),
                 "d.jsonl:2: another question has the id 'a' too");
}
