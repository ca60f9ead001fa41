// The task of tasks/question/set.h: its files and its options.
#include <limits>
#include <set>

#include "gradus/data/table.h"
#include "gradus/tasks/question/set.h"

namespace gradus {
namespace {

// Rows with the columns question and context, and id where there is one (otherwise the number of
// the row, from 0), as questions to be answered.
struct QuestionReader {
  TableReader table;
  std::set<std::string> ids;

  QuestionReader(const std::filesystem::path& path, TableOptions options)
      : table(path, std::move(options)) {}

  QaSet next(size_t most) {
    const size_t question = table.column("question"), context = table.column("context");
    const bool named = table.has_column("id");
    const size_t id = named ? table.column("id") : 0;
    QaSet set{table.file(), "", {}, {}};
    const auto goes_on = [&] {  // what is there is answered when the input pauses
      return set.questions.size() < most && (set.questions.empty() || !table.pauses());
    };
    for (TableReader::Row row; goes_on() && table.next(row);) {
      const std::string name = named ? row.cells[id] : std::to_string(ids.size());
      check(ids.insert(name).second,
            "{}:{}: another question has the id '{}' too; predictions are kept by id", table.file(),
            row.line, name);
      if (set.contexts.empty() || set.contexts.back() != row.cells[context])
        set.contexts.push_back(row.cells[context]);
      set.questions.push_back({name, row.cells[question], set.contexts.size() - 1, false, {}});
    }
    return set;
  }
};

struct QuestionTask : Task {
  TaskOptions options;
  Tokenizer tokenizer;

  QuestionTask(const TaskOptions& o, const Tokenizer& t) : Task(o), options(o), tokenizer(t) {
    refuse_glue(o);
    refuse_class_losses(o);
    check(o.text.long_texts == LongTexts::head || o.text.long_texts == LongTexts::windows,
          "options.long_texts {} is not for qa: all of a context is read, in windows",
          word_of(o.text.long_texts));
    check(o.question.n_best_size >= 1, "options.n_best_size {}: it must be at least 1",
          o.question.n_best_size);
    check(o.question.max_answer_length >= 1, "options.max_answer_length {}: it must be at least 1",
          o.question.max_answer_length);
  }
  std::unique_ptr<TaskSet> read(const std::filesystem::path& path, TaskUse use) override;
  std::function<std::unique_ptr<TaskSet>()> stream(const std::filesystem::path& path) override;

  static bool is_squad(const std::filesystem::path& path) { return path.extension() == ".json"; }
};

std::unique_ptr<TaskSet> QuestionTask::read(const std::filesystem::path& path, TaskUse use) {
  QaSet set;
  if (use == TaskUse::prediction && !is_squad(path)) {
    set =
        QuestionReader(path, {.columns = options.columns}).next(std::numeric_limits<size_t>::max());
    check(!set.questions.empty(), "{}: it holds no questions", set.file);
  } else {
    set = read_squad(path);
  }
  if (use != TaskUse::prediction)
    for (const QaQuestion& question : set.questions)
      check(question.impossible || !question.answers.empty(),
            "{}: question '{}' has no \"answers\"; to learn and to judge they are needed", set.file,
            question.id);
  return std::make_unique<QuestionTaskSet>(options, tokenizer, std::move(set), use);
}

// Tables are read in parts, SQuAD's JSON whole. Standard input is JSON lines.
std::function<std::unique_ptr<TaskSet>()> QuestionTask::stream(const std::filesystem::path& path) {
  if (is_squad(path)) return Task::stream(path);
  auto reader = std::make_shared<QuestionReader>(
      path, TableOptions{path == "-" ? TableFormat::jsonl : TableFormat::by_name, options.columns});
  return [task = *this, reader]() -> std::unique_ptr<TaskSet> {
    QaSet part = reader->next(256);
    if (part.questions.empty()) return nullptr;
    return std::make_unique<QuestionTaskSet>(task.options, task.tokenizer, std::move(part),
                                             TaskUse::prediction);
  };
}

}  // namespace

TaskKind qa_kind() {
  return {
      .name = "qa",
      .about = "the span of a text that answers a question",
      .files = "SQuAD JSON",
      .example =
          "gradus finetune qa --model minilm --train train-v2.0.json --validation dev-v2.0.json "
          "--epochs 2 --out "
          "runs/squad",
      .pipeline = "question-answering",
      .sentence = "It finds the part of a text that answers a question.",
      .head = BertHead::question_answering,
      .max_seq_length = 384,
      .options =
          [](TaskOptions& o) {
            QuestionTaskOptions& q = o.question;
            return TaskOptionLists{
                {doc_stride_option(o),
                 {"stride_meaning", word_option(q.stride_meaning, stride_meaning_words),
                  "overlap, or step (Google's)"},
                 {"max_query_length", &q.max_query_length},
                 {"max_answer_length", &q.max_answer_length},
                 {"n_best_size", &q.n_best_size},
                 {"version_2_with_negative", &q.version_2_with_negative,
                  "questions may have no answer"},
                 {"null_score_diff_threshold", &q.null_score_diff_threshold,
                  "default: the best for the file"}}};
          },
      .make = [](const TaskOptions& options, const Tokenizer& tokenizer) -> std::unique_ptr<Task> {
        return std::make_unique<QuestionTask>(options, tokenizer);
      },
  };
}

}  // namespace gradus
