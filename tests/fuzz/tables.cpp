// Labelled files of every kind of task, through to the loss's targets and the sequences.
#include <algorithm>

#include "gradus/tasks/kinds.h"
#include "gradus/tasks/question/squad.h"
#include "gradus/tasks/task.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/replaced.h"
#include "tests/io/small_model.h"

namespace gradus::testing {
namespace {

// Reads the file for training, and what could be read so for prediction.
void learn_from(const TaskOptions& options, const std::filesystem::path& path) {
  const auto task = Task::make(options, small_tokenizer(), small_config());
  const auto set = task->read(path, TaskUse::training);
  std::vector<int64_t> units;
  for (int64_t unit = 0; unit < std::min<int64_t>(set->size(), 4); ++unit) {
    units.push_back(unit);
    set->sequences(unit);
  }
  set->targets(units);
  task->describe(*set, nullptr);
  task->read(path, TaskUse::prediction);
}

std::vector<std::string> with_names(const std::vector<std::pair<std::string, std::string>>& list) {
  std::vector<std::string> seeds;
  for (const auto& [name, text] : list) seeds.push_back(name + "\n" + text);
  return seeds;
}

std::vector<std::string> table_seeds() {
  return with_names({
      {"classify.tsv", "text\tlabel\na b\tgood\nb\tbad\nthe \"a\tgood\n"},
      {"classify.csv", "label,text\ngood,\"a \"\"b\"\", the\"\nbad,\"two\nlines\"\n"},
      {"classify.jsonl",
       "{\"text\": \"a\", \"label\": 1}\n{\"label\": 0, \"text\": \"b\\u00e9\"}\n"},
      {"regress.tsv", "\xEF\xBB\xBFtext\tlabel\r\na\t1.5\r\nb\t-2e3\r\n"},
      {"multilabel.tsv", "text\tlabel\na\tx,y\nb\t\nthe\ty\n"},
      {"choice.jsonl",
       "{\"context\": \"a\", \"choices\": [\"b\", \"c\"], \"label\": 1}\n"
       "{\"context\": \"c\", \"choices\": [\"the\", \"b\"], \"label\": 0}\n"},
      {"choice.csv",
       "video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,"
       "label\n"
       "v,1,a,a,b,gold,c,a,b,the,2\n"},
  });
}

// The first line is KIND.FORMAT.
void read_table(std::string_view input) {
  static const Scratch scratch;
  const auto [name, bytes] = named(input);
  const std::string kind = name.substr(0, name.find('.'));
  for (const char* known : {"classify", "regress", "multilabel", "choice"})
    for (const char* format : {".tsv", ".csv", ".jsonl"}) {
      if (name != std::string(known) + format) continue;
      const Replaced file(scratch / name, bytes);
      TaskOptions options{.kind = kind};
      if (kind == "multilabel") options.text.label_separator = ",";
      learn_from(options, scratch / name);
    }
}

std::vector<std::string> squad_seeds() {
  return {R"({"version": "v2.0", "data": [{"title": "t", "paragraphs": [)"
          R"({"context": "the a b c. b", "qas": [)"
          R"({"id": "1", "question": "a b?", "answers": [{"text": "b c", "answer_start": 6}]},)"
          R"({"id": "2", "question": "c", "is_impossible": true, "answers": []}]}]}]})",
          R"({"data": [{"paragraphs": [{"context": "a é b", "qas": [)"
          R"({"id": "x", "question": "b", "answers": [{"text": "é", "answer_start": 2}]}]}]}]})"};
}

void read_squad_file(std::string_view input) {
  static const Scratch scratch;
  const Replaced file(scratch / "set.json", input);
  const QaSet set = read_squad(scratch / "set.json");
  for (const QaQuestion& q : set.questions)
    for (const QaAnswer& answer : q.answers) locate_answer(set.contexts.at(q.context), answer);
  learn_from({.kind = "qa"}, scratch / "set.json");
}

std::vector<std::string> conll_seeds() {
  return {"the O\na B-X\nb I-X\n. O\n\nc B-Y\n", "-DOCSTART-\tO\n\na\tNN\tI-X\nb\tNN\tI-X\n",
          "a S-X\r\nb B-Y\r\nc E-Y\r\n"};
}

void read_conll(std::string_view input) {
  static const Scratch scratch;
  const Replaced file(scratch / "set.conll", input);
  learn_from({.kind = "ner"}, scratch / "set.conll");
}

}  // namespace

Formats table_formats() {
  return {{"table", table_seeds, read_table, true},
          {"squad", squad_seeds, read_squad_file},
          {"conll", conll_seeds, read_conll}};
}

}  // namespace gradus::testing
