#include "gradus/tasks/text/text.h"

#include "gradus/base/file.h"
#include "gradus/tasks/choice/choices.h"
#include "gradus/tasks/text/glue.h"
#include "tests/compressed.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

TextSet read(const std::string& name, const std::string& content, const TextOptions& options = {}) {
  const Scratch scratch;
  write_file(scratch / name, content);
  return read_texts(scratch / name, options);
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("texts: columns by convention, or as named") {
  CHECK(read("a.tsv", "index\tsentence\tlabel\n7\tA b.\tgood\n").examples[0].first == "A b.");
  const TextSet pairs = read("a.csv", "label,hypothesis,premise\nyes,H,P\n");
  CHECK(pairs.pairs());
  CHECK(pairs.examples[0].first == "P");
  CHECK(pairs.examples[0].second == "H");
  CHECK(pairs.examples[0].labels == Names{"yes"});
  for (const auto& [first, second] : {std::pair{"sentence1", "sentence2"},
                                      {"text_a", "text_b"},
                                      {"question", "sentence"},
                                      {"question1", "question2"}})
    CHECK(read("a.csv", fmt::format("{},{},label\nF,S,x\n", first, second)).examples[0].second ==
          "S");
  const TextSet named =
      read("a.tsv", "text\tbody\tstars\nno\tyes\t5\n", {.columns = {"body", "", "stars"}});
  CHECK(named.examples[0].first == "yes");
  CHECK(named.examples[0].labels == Names{"5"});
  CHECK_FALSE(named.pairs());
  CHECK(read("a.jsonl", "{\"text\": \"t\", \"label\": 3}\n").examples[0].labels == Names{"3"});
  CHECK(read("a.tsv", "text\nt\n", {.labels = LabelKind::none}).examples[0].labels.empty());

  CHECK_MENTIONS(error_of([] { read("a.tsv", "x\ty\n1\t2\n"); }),
                 "a.tsv: no column is called sentence, text");
  CHECK_MENTIONS(error_of([] { read("a.tsv", "x\ty\n1\t2\n"); }), "the columns are: x, y");
  CHECK_MENTIONS(error_of([] { read("a.tsv", "text\ty\n1\t2\n"); }),
                 "there is no column 'label'; the columns are: text, y");
  CHECK_MENTIONS(
      error_of([] { read("a.tsv", "text\tlabel\n1\t2\n", {.columns = {.first = "body"}}); }),
      "there is no column 'body'");
  CHECK_MENTIONS(error_of([] { read("a.tsv", "text\tlabel\na\tx\nb\t\n"); }),
                 "a.tsv:3: the label in column 'label' is empty");
  CHECK_MENTIONS(error_of([] { read("a.tsv", "text\tlabel\n"); }), "holds no examples");
}

TEST_CASE("texts: tables compressed by gzip and zstd are read as they were") {
  const std::string table = "sentence\tlabel\nA b.\tgood\nC d.\tbad\n",
                    lines = "{\"text\": \"t\", \"label\": \"good\"}\n";
  for (const auto& [name, packed] :
       {std::pair{"a.tsv.gz", gzip(table)}, {"a.tsv.zst", zstd(table)}}) {
    const TextSet set = read(name, packed);
    REQUIRE(set.examples.size() == 2);
    CHECK(set.examples[1].first == "C d.");
    CHECK(set.examples[1].labels == Names{"bad"});
  }
  for (const auto& [name, packed] :
       {std::pair{"a.jsonl.gz", gzip(lines)}, {"a.jsonl.zst", zstd(lines)}})
    CHECK(read(name, packed).examples.at(0).first == "t");
  std::string cut = gzip(table);
  cut.resize(cut.size() - 6);
  CHECK_MENTIONS(error_of([&] { read("a.tsv.gz", cut); }), "a.tsv.gz");
  CHECK_MENTIONS(error_of([&] { read("a.tsv.gz", gzip("text\tlabel\na\tx\nb\t\n")); }),
                 "a.tsv.gz:3: the label in column 'label' is empty");
}

TEST_CASE("texts: many labels, as a JSON list or with a character between them") {
  const TextOptions many{.labels = LabelKind::many};
  const TextSet lists = read(
      "a.jsonl",
      "{\"text\": \"t\", \"labels\": [\"b\", \"a\"]}\n{\"text\": \"u\", \"labels\": []}\n", many);
  CHECK(lists.examples[0].labels == Names{"b", "a"});
  CHECK(lists.examples[1].labels.empty());
  const LabelTable table = collect_labels(lists);
  CHECK(table.names() == Names{"a", "b"});
  CHECK(label_rows(lists, table) == std::vector<std::vector<uint8_t>>{{1, 1}, {0, 0}});
  CHECK(count_labels(label_rows(lists, table)) == std::vector<int64_t>{1, 1});

  const TextOptions commas{.labels = LabelKind::many, .separator = "|"};
  CHECK(read("a.tsv", "text\tlabel\nt\tx|y\n", commas).examples[0].labels == Names{"x", "y"});
  CHECK(read("a.tsv", "text\tlabel\nt\t\n", commas).examples[0].labels.empty());
  CHECK_MENTIONS(error_of([&] { read("a.tsv", "text\tlabel\nt\tx||y\n", commas); }),
                 "a.tsv:2: the label in column 'label' is empty");
  CHECK_MENTIONS(error_of([&] { read("a.tsv", "text\tlabel\nt\tx|x\n", commas); }),
                 "a.tsv:2: the label 'x' is given twice");
  CHECK_MENTIONS(error_of([&] { read("a.tsv", "text\tlabel\nt\tx\n", many); }),
                 "a.tsv:2: the labels must be a JSON list of names");
}

TEST_CASE(
    "labels: sorted by name, or by number where all are numbers; an unknown one is named with what "
    "is known") {
  CHECK(LabelTable::sorted({"b", "a", "10"}).names() == Names{"10", "a", "b"});
  CHECK(LabelTable::sorted({"10", "9", "-1"}).names() == Names{"-1", "9", "10"});
  CHECK_MENTIONS(error_of([] { LabelTable({"a", "b", "a"}); }), "the label 'a' is given twice");
  CHECK_MENTIONS(error_of([] { LabelTable({"a", ""}); }), "label 1 has an empty name");
  const TextSet training = read("train.tsv", "text\tlabel\na\tyes\nb\tno\n"),
                validation = read("dev.tsv", "text\tlabel\na\tyes\nb\tmaybe\n");
  const LabelTable table = collect_labels(training);
  CHECK(label_ids(training, table) == std::vector<int32_t>{1, 0});
  CHECK_MENTIONS(error_of([&] { label_ids(validation, table); }),
                 "dev.tsv:3: the label 'maybe' is unknown; the labels are: no, yes");
}

TEST_CASE("labels: the distribution names a class without an example") {
  const LabelTable table({"no", "yes", "maybe"});
  const std::string text = label_distribution(table, count_labels({1, 1, 0, -100}, 3), {1, 1, 2});
  CHECK_MENTIONS(text, "   1  yes           2  66.7 %         1  25.0 %");
  CHECK_MENTIONS(text, "No training example is of: maybe.");
  CHECK(label_distribution(table, {1, 1, 1}).find("No training") == std::string::npos);
}

TEST_CASE("regression: labels are finite numbers") {
  CHECK(label_values(read("a.tsv", "text\tlabel\na\t3.5\nb\t-1e2\n")) ==
        std::vector<double>{3.5, -100});
  for (const char* bad : {"x", "1.5x", "nan", "inf"})
    CHECK_MENTIONS(error_of([&] {
                     label_values(read("a.tsv", fmt::format("text\tlabel\na\t1\nb\t{}\n", bad)));
                   }),
                   "a.tsv:3: the label '");
}

TEST_CASE("texts: encoded, cut ones and those without a token are counted") {
  const Tokenizer tokenizer(Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"}));
  const EncodedTexts single = encode_texts(
      read("a.tsv", "text\tlabel\na b\tx\n \tx\na b a b\tx\n\xE2\x80\x8B\tx\n"), tokenizer, 5);
  CHECK(single.sequences[0].ids == std::vector<int32_t>{2, 5, 6, 3});
  CHECK(single.sequences[1].ids == std::vector<int32_t>{2, 3});
  CHECK(single.sequences[2].ids == std::vector<int32_t>{2, 5, 6, 5, 3});
  CHECK(single.truncated == 1);
  CHECK(single.empty == 2);
  CHECK(single.empty_line == 3);
  const EncodedTexts pairs =
      encode_texts(read("a.tsv", "sentence1\tsentence2\tlabel\na\tb\tx\n"), tokenizer, 8);
  CHECK(pairs.sequences[0].types == std::vector<int32_t>{0, 0, 0, 1, 1});
}

TEST_CASE("GLUE: every task's layout, with labels by name") {
  const auto example = [](const char* task, const std::string& content, bool test = false) {
    return read("a.tsv", content, glue_options(glue_task(task), test)).examples.at(0);
  };
  CHECK(example("cola", "gj04\t0\t*\tThey drank.\n").first == "They drank.");
  CHECK(example("cola", "gj04\t0\t*\tThey drank.\n").labels == Names{"unacceptable"});
  CHECK(example("cola", "index\tsentence\n0\tBill.\n", true).first == "Bill.");
  CHECK(example("sst2", "sentence\tlabel\ngood \"film \t1\n").labels == Names{"positive"});
  const TextExample mrpc = example(
      "mrpc", "\xEF\xBB\xBFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\t\"A\tB\"\n");
  CHECK(mrpc.labels == Names{"equivalent"});
  CHECK(mrpc.first == "\"A");
  const TextSet stsb = read(
      "a.tsv",
      "index\tgenre\tfilename\tyear\told_"
      "index\tsource1\tsource2\tsentence1\tsentence2\tscore\n0\tg\tf\ty\to\ts\tt\tA\tB\t5.000\n",
      glue_options(glue_task("stsb")));
  CHECK(label_values(stsb) == std::vector<double>{5});
  const TextSet qqp = read(
      "a.tsv", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tA\n1\t2\t3\tA\tB\t0\n",
      glue_options(glue_task("qqp")));
  CHECK(qqp.skipped == 1);
  CHECK(qqp.examples.at(0).labels == Names{"not_duplicate"});
  const std::string mnli =
      "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_"
      "parse\tsentence2_"
      "parse\tsentence1\tsentence2\t";
  CHECK(example("mnli",
                mnli + "label1\tgold_label\n0\t1\t2\tg\tp\tq\tr\ts\tA\tB\tneutral\tcontradiction\n")
            .labels == Names{"contradiction"});
  CHECK(example("qnli", "index\tquestion\tsentence\tlabel\n0\tQ\tS\tnot_entailment\n").first ==
        "Q");
  CHECK(example("rte", "index\tsentence1\tsentence2\tlabel\n0\tA\tB\tentailment\n").second == "B");
  CHECK(example("wnli", "index\tsentence1\tsentence2\tlabel\n0\tA\tB\t1\n").labels ==
        Names{"entailment"});

  CHECK(glue_tasks().size() == 9);
  CHECK(glue_task("mnli").table().names() == Names{"entailment", "neutral", "contradiction"});
  CHECK(glue_task("mnli").dev == Names{"dev_matched.tsv", "dev_mismatched.tsv"});
  CHECK(glue_task("stsb").regression());
  CHECK_MENTIONS(error_of([] { glue_task("sst-2"); }),
                 "there is no GLUE task 'sst-2'; the tasks are: cola, sst2, mrpc, stsb, qqp, mnli, "
                 "qnli, rte, wnli");
}

TEST_CASE("GLUE: real files have the published counts") {
  const auto counts = [](const std::filesystem::path& file, const char* task) {
    const TextSet set = read_texts(file, glue_options(glue_task(task)));
    return count_labels(label_ids(set, glue_task(task).table()), 2);
  };
  using Counts = std::vector<int64_t>;
  if (const auto folder = shared_data("sst2-glue"); !folder.empty()) {
    CHECK(counts(folder / "train.tsv", "sst2") == Counts{67349 - 37569, 37569});
    CHECK(counts(folder / "dev.tsv", "sst2") == Counts{428, 444});
  }
  if (const auto folder = shared_data("rte"); !folder.empty()) {
    CHECK(counts(folder / "glue-train.tsv", "rte") == Counts{1249, 1241});
    CHECK(counts(folder / "glue-dev.tsv", "rte") == Counts{146, 131});
  }
  if (const auto folder = shared_data("qnli"); !folder.empty()) {
    CHECK(counts(folder / "dev.tsv", "qnli") == Counts{2702, 2761});
    CHECK(read_texts(folder / "test-unlabelled.tsv", glue_options(glue_task("qnli"), true))
              .examples.size() == 5463);
  }
}

TEST_CASE("multiple choice: SWAG, CODAH and plain lists") {
  const Scratch scratch;
  const auto choices = [&](const std::string& name, const std::string& content,
                           bool labelled = true) {
    write_file(scratch / name, content);
    return read_choices(scratch / name, labelled);
  };
  const auto swag = choices("a.csv",
                            ",video-id,sent1,sent2,ending0,ending1,label\n"
                            "0,v,\"Hello, you.\",He,goes.,stays.,1\n");
  CHECK(swag.examples[0].context == "Hello, you.");
  CHECK(swag.examples[0].choices == Names{"He goes.", "He stays."});
  CHECK(swag.examples[0].label == 1);
  const auto codah = choices("a.tsv", "o\tHe \"ran\tfast\tslow\thome\taway\t3\n");
  CHECK(codah.examples[0].context == "He \"ran");
  CHECK(codah.examples[0].choices == Names{"fast", "slow", "home", "away"});
  CHECK(codah.examples[0].label == 3);
  CHECK(choices("a.jsonl", "{\"context\": \"C\", \"choices\": [\"a\", \"b\"]}", false)
            .examples[0]
            .label == -1);
  const auto race = choices(
      "a.jsonl",
      "{\"context\": \"C\", \"question\": \"Q?\", \"choices\": [\"a\", \"b\"], \"label\": 0}");
  CHECK(race.examples[0].choices == Names{"Q? a", "Q? b"});
  CHECK(choices("a.jsonl", "{\"question\": \"Q?\", \"choices\": [\"a\", \"b\"], \"label\": 0}")
            .examples[0]
            .context == "Q?");

  CHECK_MENTIONS(error_of([&] { choices("a.tsv", "o\tHe\ta\tb\tc\td\t4\n"); }),
                 "a.tsv:1: the label '4' must be the number of the right choice, 0 to 3");
  CHECK_MENTIONS(error_of([&] {
                   choices("a.jsonl", "{\"context\": \"C\", \"choices\": [\"a\"], \"label\": 0}");
                 }),
                 "a.jsonl:1: there must be two choices");
  CHECK_MENTIONS(error_of([&] {
                   choices("a.jsonl", "{\"context\": \"C\", \"choices\": \"a\", \"label\": 0}");
                 }),
                 "a JSON list");
  CHECK_MENTIONS(error_of([&] {
                   choices("a.jsonl", "{\"context\": \"C\", \"choices\": [1, 2], \"label\": 0}");
                 }),
                 "the choice 1 is not a string");
  CHECK_MENTIONS(error_of([&] { choices("a.csv", "context,label\nC,0\n"); }),
                 "there is no column 'choices'");
  CHECK_MENTIONS(error_of([&] { choices("a.csv", "choices,label\nC,0\n"); }),
                 "there is no column 'context'");

  if (const auto folder = shared_data("codah"); !folder.empty()) {
    std::vector<int32_t> labels;
    for (const auto& example : read_choices(folder / "full_data.tsv").examples)
      labels.push_back(example.label);
    CHECK(count_labels(labels, 4) == std::vector<int64_t>{689, 684, 697, 706});
  }
  if (const auto folder = shared_data("swag-sample"); !folder.empty()) {
    const auto sample = read_choices(folder / "sample.json");
    CHECK(sample.examples.size() == 10);
    CHECK(sample.examples[0].choices[0] ==
          "A drum line passes by walking down the street playing their instruments.");
  }
}
