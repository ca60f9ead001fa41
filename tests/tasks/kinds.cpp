// The list of kinds: each says all that is needed of it, a model's configuration leads back to its
// kind, options are said by words, and a program adds a kind of its own.
#include "gradus/tasks/kinds.h"

#include <map>
#include <set>

#include "tests/tasks/task_support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// The configuration of a model that was fine-tuned for the kind, as its folder keeps it.
BertConfig fine_tuned(const std::string& kind, std::vector<std::string> labels = {}) {
  BertConfig config = BertConfig::named("tiny", 16);
  config.architectures.assign(1, architecture(task_kind(kind).head, config));
  Task::make({.kind = kind, .labels = std::move(labels)}, tokenizer(), config)->configure(config);
  return BertConfig::from_json(config.to_json(), "config.json");
}

}  // namespace

TEST_CASE("kinds: each says what it is, and its models lead back to it") {
  CHECK(task_kinds().size() >= 6);
  for (const TaskKind& kind : task_kinds()) {
    for (const std::string* text : {&kind.about, &kind.files, &kind.pipeline, &kind.sentence})
      CHECK_MESSAGE(!text->empty(), kind.name);
    const BertConfig config = fine_tuned(kind.name, {"B-PER", "O"});
    CHECK(config.finetuning_task == "");
    CHECK(task_of(config, "out").kind == kind.name);
  }
  CHECK(task_of(fine_tuned("classify", {"no", "yes"}), "out").labels ==
        std::vector<std::string>{"no", "yes"});
  BertConfig config = BertConfig::named("tiny", 16);
  config.architectures = {"BertForSequenceClassification"};
  CHECK(task_of(config, "out").labels == std::vector<std::string>{"LABEL_0", "LABEL_1"});
  config.id2label = {{0, "LABEL_0"}};
  CHECK(task_of(config, "out").kind == "regress");
  config.architectures = {"BertForPreTraining"};
  CHECK_MENTIONS(error_of([&] { task_of(config, "out"); }), "out: it is not fine-tuned");
  CHECK_MENTIONS(error_of([] { task_kind("parse"); }),
                 "no task is called 'parse'; there are classify, regress, multilabel, ner, qa and");
}

TEST_CASE("kinds: an option's name is its own, its value said by words or numbers") {
  TaskOptions o;
  // what eval and predict set for all kinds by one option
  std::map<std::string, decltype(TaskOption::value)> values;
  for (const TaskKind& kind : task_kinds()) {
    const auto [reading, loss] = kind.options(o);
    std::set<std::string> own;
    for (const auto* list : {&reading, &loss})
      for (const TaskOption& option : *list) {
        CHECK_MESSAGE(own.insert(option.name).second, kind.name, " lists ", option.name, " twice");
        const auto& first = values.emplace(option.name, option.value).first->second;
        const auto place = [](const auto& value) -> const void* {
          if constexpr (std::is_pointer_v<std::decay_t<decltype(value)>>) return value;
          else return nullptr;  // words
        };
        CHECK_MESSAGE(std::visit(place, first) == std::visit(place, option.value), kind.name,
                      " has another ", option.name);
        if (option.name == "stride_meaning") {
          set_word(option, "step");
          CHECK_MENTIONS(error_of([&] { set_word(option, "hop"); }),
                         "options.stride_meaning hop: it is overlap or step");
        }
        if (option.name == "long_texts")
          CHECK_MENTIONS(error_of([&] { set_word(option, "middle"); }),
                         "options.long_texts middle: it is head, tail, head-tail or windows");
      }
  }
  CHECK(o.question.stride_meaning == StrideMeaning::step);
  o.kind = "qa";
  nlohmann::ordered_json settings;
  add_settings(settings, o);
  CHECK(settings["stride_meaning"] == "step");
  CHECK(settings["n_best_size"] == 20);
  CHECK(settings["null_score_diff_threshold"].is_null());
  CHECK_FALSE(settings.contains("glue"));
}

TEST_CASE("kinds: a set lives on without its task") {
  const Files files;
  const auto read = [&](const TaskOptions& options, const std::filesystem::path& path) {
    return Task::make(options, tokenizer(), BertConfig())->read(path, TaskUse::training);
  };
  const auto tags = read({.kind = "ner"}, files("t.conll", conll));
  CHECK(predictions(*tags, {sure({0, 1, 0, 2, 2, 0}, 3), sure({1, 2, 0, 1}, 3)})[0]["tags"] ==
        Json{"B-PER", "O", "O"});
  Targets targets;
  {
    const auto texts = read({.kind = "classify"}, files("t.tsv", "text\tlabel\nann\tx\nben\ty\n"));
    targets = texts->targets(std::vector<int64_t>{1});
    CHECK(predictions(*texts, {{1, 0}, {0, 1}})[1]["label"] == "y");
  }
  CHECK(targets.weights == std::vector<double>{1});
  const Tensor logits = some_logits(1, 2);
  CHECK(targets.loss(logits, Ragged({3}), 1).item() == doctest::Approx(surprise(logits, 0, 1)));
  const auto stream =
      Task::make({.kind = "ner", .labels = {"O", "B-PER"}}, tokenizer(), BertConfig())
          ->stream(files("t.txt", "ann\n"));
  CHECK(stream()->examples() == 1);
  CHECK_FALSE(stream());
}

TEST_CASE("kinds: a program adds its own") {
  TaskKind kind = task_kind("regress");
  CHECK_MENTIONS(error_of([&] { register_task_kind(kind); }), "called 'regress' already");
  kind.name = "ordinal";
  register_task_kind(kind);
  const BertConfig config = fine_tuned("ordinal");
  CHECK(config.finetuning_task == "ordinal");  // the head and the problem alone mean regress
  CHECK(task_of(config, "out").kind == "ordinal");
  CHECK(fine_tuned("regress").finetuning_task == "");
}
