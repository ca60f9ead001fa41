#include "gradus/tasks/tagging/conll.h"

#include "gradus/base/file.h"
#include "gradus/tasks/tagging/features.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

TaggedSet read(const std::string& content, const ColumnOptions& options = {}) {
  const Scratch scratch;
  write_file(scratch / "a.conll", content);
  return read_tagged(scratch / "a.conll", options);
}

std::string spelled(const std::vector<Entity>& entities) {
  std::string text;
  for (const auto& entity : entities)
    text +=
        fmt::format("{}{}[{},{})", text.empty() ? "" : " ", entity.type, entity.begin, entity.end);
  return text;
}

// 0..4 special, then a b c and continuations.
Tokenizer letters() {
  return Tokenizer(Vocabulary(
      {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "##a", "##b", "##c"}));
}

}  // namespace

TEST_CASE("CoNLL: sentences, documents, separators, columns") {
  const TaggedSet set = read(
      "-DOCSTART- -X- O O\n\nEU NNP  I-NP B-ORG\nrejects VBZ I-VP O\n\t\nA\tb c\tO\r\n\n\nB\tO");
  CHECK(set.sentences.size() == 3);
  CHECK(set.sentences[0].words == Tags{"EU", "rejects"});
  CHECK(set.sentences[0].tags == Tags{"B-ORG", "O"});
  CHECK(set.sentences[0].line == 3);
  CHECK(set.sentences[1].words == Tags{"A"});
  CHECK(set.sentences[2].line == 9);
  CHECK(read("A NN B-X\n", {.word_column = 1, .tag_column = 2}).sentences[0].words == Tags{"NN"});
  CHECK(read("A B-X NN\n", {.tag_column = -2}).sentences[0].tags == Tags{"B-X"});
  CHECK(read("\xEF\xBB\xBFword\n", {.labelled = false}).sentences[0].words == Tags{"word"});
  CHECK(collect_tags(read("A B-Y\nB B-X\n")).names() == Tags{"B-X", "B-Y", "O"});
}

TEST_CASE("CoNLL: what is wrong is named with file and line") {
  CHECK_MENTIONS(error_of([] { read("A O\nB B-X\nC X-PER\n"); }),
                 "a.conll:3: 'X-PER' is not a tag; tags are O, or B-, I-, E-, S- and a type");
  for (const char* bad : {"B", "B-", "PER", "b-PER", "o"}) CHECK_FALSE(is_tag(bad));
  CHECK_MENTIONS(error_of([] { read("A O\n\nB\n"); }), "a.conll:3: the line has one column");
  CHECK_MENTIONS(error_of([] { read("A x O\n", {.tag_column = 3}); }),
                 "a.conll:1: there is no column 3; the line has 3 columns");
  CHECK_MENTIONS(error_of([] { read("A x O\n", {.tag_column = -4}); }),
                 "a.conll:1: there is no column -4");
  CHECK_MENTIONS(error_of([] { read("\tO\n"); }), "a.conll:1: the word is empty");
  CHECK_MENTIONS(error_of([] { read("\n\n"); }), "holds no words");
  CHECK_MENTIONS(error_of([] { read("A O\n\xff O\n"); }), "a.conll:2: byte 1");
  const TaggedSet set = read("A O\n\nB O\nC B-NEW\n");
  CHECK_MENTIONS(error_of([&] {
                   tag_ids(set, LabelTable({"B-X", "O"}));
                 }),
                 "a.conll:4: the label 'B-NEW' is unknown; the labels are: B-X, O");
}

TEST_CASE("tags: schemes are recognised, what they forbid is counted") {
  const auto scheme = [](const std::string& content) {
    return std::string(scheme_name(read(content).scheme));
  };
  CHECK(scheme("a I-X\nb I-X\nc O\nd I-X\ne B-X\n") == "IOB1");
  CHECK(scheme("a B-X\nb I-X\nc O\nd B-X\n") == "IOB2");
  CHECK(scheme("a B-X\nb E-X\nc O\nd S-X\n") == "BIOES");
  CHECK(scheme("a O\n") == "IOB2");
  const TaggedSet mixed = read("a B-X\nb O\nc I-X\n\nd I-Y\ne B-Y\n");
  CHECK(mixed.scheme == TagScheme::iob2);
  CHECK(mixed.irregular == 2);
  CHECK(mixed.irregular_line == 3);
  CHECK(read("a I-X\nb I-X\nc B-X\n").irregular == 0);
  CHECK(read("a B-X\nb O\nc S-X\nd I-X\n").irregular == 2);
}

TEST_CASE("tags: entities, lenient and strict") {
  CHECK(spelled(entities({"I-X", "I-X", "B-X", "O", "B-Y", "I-X"})) ==
        "X[0,2) X[2,3) Y[4,5) X[5,6)");
  CHECK(spelled(entities({"B-X", "E-X", "S-X", "I-X", "O", "E-Z"})) ==
        "X[0,2) X[2,3) X[3,4) Z[5,6)");
  CHECK(spelled(entities({})).empty());
  CHECK(spelled(strict_entities({"I-X", "B-X", "I-X", "I-Y", "B-Y"}, TagScheme::iob2)) ==
        "X[1,3) Y[4,5)");
  CHECK(spelled(strict_entities({"B-X", "I-X", "O", "B-X", "I-X", "E-X", "S-Y", "B-Z"},
                                TagScheme::bioes)) == "X[3,6) Y[6,7)");
  CHECK(spelled(strict_entities({"I-X", "I-X", "B-X"}, TagScheme::iob1)) == "X[0,2) X[2,3)");
}

TEST_CASE("tags: first pieces are labelled, further ones not, or as inside") {
  const TaggedSet set = read("ab B-X\nc O\nb B-Y\n");
  const LabelTable table({"B-X", "B-Y", "I-X", "O"});
  const auto input = [&](bool all) {
    const TagFeatures features(set, tag_ids(set, table), table, letters(),
                               {.label_all_pieces = all});
    return features.input(features.windows().at(0));
  };
  CHECK(input(false).ids == std::vector<int32_t>{2, 5, 9, 7, 6, 3});
  CHECK(input(false).labels == std::vector<int32_t>{-100, 0, -100, 3, 1, -100});
  CHECK(input(true).labels == std::vector<int32_t>{-100, 0, 2, 3, 1, -100});
}

TEST_CASE("tags: long sentences lose no word, and every word is learned once") {
  std::string content;
  const std::vector<std::string> words{"a",      "abc", "ab", "\xE2\x80\x8B",
                                       "abcabc", "b",   "c",  "abcab"};
  for (int i = 0; i < 40; ++i)
    content +=
        words[static_cast<size_t>(i * i + i / 3) % words.size()] + (i % 3 ? " O\n" : " B-X\n");
  const TaggedSet set = read(content + "\na O\n");
  const LabelTable table = collect_tags(set);
  const auto labels = tag_ids(set, table);
  for (const int64_t length : {3, 5, 8, 16, 1000})
    for (const int64_t overlap : {0, 3, 40}) {
      const TagFeatures features(set, labels, table, letters(),
                                 {.max_seq_length = length, .overlap = overlap});
      std::vector<std::vector<int32_t>> answers;
      int64_t learned = 0;
      for (const TagWindow& window : features.windows()) {
        const TagInput input = features.input(window);
        CHECK(static_cast<int64_t>(input.ids.size()) <= length);
        CHECK(input.ids.size() == input.labels.size());
        learned += static_cast<int64_t>(input.labels.size()) -
                   std::count(input.labels.begin(), input.labels.end(), no_label);
        answers.push_back(input.labels);
      }
      CHECK(learned == 41 - features.counts().lost_words);
      auto wanted = labels;
      for (size_t i = 0; i < 40; ++i)
        if (set.sentences[0].words[i] == "\xE2\x80\x8B") wanted[0][i] = 7;
      CHECK(features.word_labels(answers, 7) == wanted);
      CHECK(features.counts().long_sentences == (length < 1000));
      CHECK((features.counts().cut_words > 0) == (length < 8));
    }
  CHECK_MENTIONS(
      error_of([&] { TagFeatures(set, labels, table, letters(), {.max_seq_length = 2}); }),
      "options.max_seq_length 2");
}

TEST_CASE("tags: a word in two windows belongs to the one that sees more around it") {
  const TaggedSet set = read("a O\nb O\nc O\na O\nb O\nc O\na O\nb O\nc O\na O\n");
  const LabelTable table = collect_tags(set);
  const TagFeatures features(set, tag_ids(set, table), table, letters(),
                             {.max_seq_length = 8, .overlap = 4});
  std::string spans;
  for (const TagWindow& window : features.windows())
    spans += fmt::format("[{},{}) owns [{},{}) ", window.begin, window.end, window.own_begin,
                         window.own_end);
  CHECK(spans == "[0,6) owns [0,4) [2,8) owns [4,6) [4,10) owns [6,10) ");
}

TEST_CASE("CoNLL: WNUT-17 has the published counts") {
  const auto folder = shared_data("wnut17");
  if (folder.empty()) return;
  const TaggedSet training = read_tagged(folder / "wnut17train.conll");
  CHECK(training.sentences.size() == 3394);
  CHECK(training.scheme == TagScheme::iob2);
  CHECK(training.irregular == 0);
  const LabelTable table = collect_tags(training);
  CHECK(table.size() == 13);
  const TaggedSet dev = read_tagged(folder / "emerging.dev.conll"),
                  test = read_tagged(folder / "emerging.test.annotated");
  CHECK(dev.sentences.size() == 1009);
  CHECK(test.sentences.size() == 1287);
  CHECK(tag_ids(dev, table).size() == 1009);
  CHECK(tag_ids(test, table).size() == 1287);
}
