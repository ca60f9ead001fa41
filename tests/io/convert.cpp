// What convert_model writes. scripts/check_convert.py opens the same in transformers, for every
// head class and form.
#include "gradus/io/convert.h"

#include "gradus/io/sentence_folder.h"
#include "tests/io/small_model.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {

const fs::path fixtures = fs::path(GRADUS_SOURCE_ROOT) / "tests" / "fixtures";

struct Case {
  Scratch scratch;
  BertForPreTraining model = small_model(1);
  NamedTensors tensors;
  BertConfig config = small_config();
  ConvertOptions options{.model = scratch / "in", .out = scratch / "out"};
  Case() {
    for (const Parameter& p : parameters(model))
      if (!p.tied) tensors.emplace_back(p.name, p.view());
  }
  void drop(const std::string& beginning) {
    std::erase_if(tensors, [&](const auto& t) { return t.first.starts_with(beginning); });
  }
  ConvertReport run() {
    save_model_folder(options.model, config, tensors, small_tokenizer({.lower_case = false}));
    fs::remove_all(options.out);
    return convert_model(options);
  }
  std::string refusal() {
    return error_of([&] { run(); });
  }
};

}  // namespace

TEST_CASE("convert: Google's checkpoint becomes the folder it was made from") {
  const Scratch scratch;
  const ConvertReport report =
      convert_model({.model = fixtures / "tf-bert", .out = scratch / "out"});
  CHECK(report.architecture == "BertForPreTraining");
  CHECK(report.transposed.size() == 14);
  CHECK(report.dropped.size() == 3);
  CHECK(report.notes.size() == 2);
  const SafetensorsFile ours(scratch / "out/model.safetensors"),
      truth(fixtures / "tiny-bert" / "model.safetensors");
  CHECK(ours.entries().size() == truth.entries().size());
  for (const auto& entry : truth.entries())
    CHECK_MESSAGE(ours.entry(entry.first).same_values(entry.second), entry.first);
  CHECK(load_config(scratch / "out").hidden_act == "gelu_new");
  CHECK(load_config(scratch / "out").dtype == "float32");
  CHECK(load_tokenizer(scratch / "out").vocabulary().size() == 60);
}

TEST_CASE("convert: legacy names, and bf16 that halves the file") {
  const Scratch scratch;
  convert_model({.model = fixtures / "tf-bert",
                 .out = scratch / "out",
                 .stored = StoredAs::bf16,
                 .legacy_names = true});
  const SafetensorsFile file(scratch / "out/model.safetensors");
  CHECK(file.entry("bert.embeddings.LayerNorm.gamma").dtype == "BF16");
  CHECK(!file.entries().contains("bert.embeddings.LayerNorm.weight"));
  CHECK(load_config(scratch / "out").dtype == "bfloat16");
  BertForPreTraining model(load_config(scratch / "out"));
  CHECK(load_parameters(scratch / "out", parameters(model)).fresh.empty());
}

TEST_CASE(
    "convert: the architecture is the configuration's where its tensors are there, otherwise what "
    "the heads say") {
  const auto architecture = [](const std::vector<std::string>& named,
                               const std::vector<std::string>& missing,
                               const NamedTensors& more = {}) {
    Case c;
    for (const std::string& m : missing) c.drop(m);
    c.tensors.insert(c.tensors.end(), more.begin(), more.end());
    c.config.architectures = named;
    return c.run().architecture;
  };
  const NamedTensors classifier{{"classifier.weight", zeros({2, 8})},
                                {"classifier.bias", zeros({2})}},
      span{{"qa_outputs.weight", zeros({2, 8})}, {"qa_outputs.bias", zeros({2})}};
  CHECK(architecture({}, {}) == "BertForPreTraining");
  CHECK(architecture({"BertForMaskedLM"}, {}) == "BertForMaskedLM");
  CHECK(architecture({"BertForPreTraining"}, {"cls.seq"}) == "BertForMaskedLM");
  CHECK(architecture({}, {"cls.predictions"}) == "BertForNextSentencePrediction");
  CHECK(architecture({}, {"cls."}) == "BertModel");
  CHECK(architecture({}, {"cls."}, classifier) == "BertForSequenceClassification");
  CHECK(architecture({"BertModel"}, {"cls.", "bert.pooler"}, classifier) ==
        "BertForTokenClassification");
  CHECK(architecture({"BertForTokenClassification"}, {"cls."}, classifier) ==
        "BertForTokenClassification");
  CHECK(architecture({}, {"cls.", "bert.pooler"}, span) == "BertForQuestionAnswering");
}

TEST_CASE("convert: what is tied is written once, what is no BERT's is named and left out") {
  Case c;
  c.tensors.emplace_back("cls.predictions.decoder.weight",
                         c.model.bert.embeddings.word_embeddings.weight.detach());
  c.tensors.emplace_back("vision.weight", zeros({2}));
  const ConvertReport report = c.run();
  CHECK(report.dropped ==
        std::vector<std::pair<std::string, std::string>>{
            {"cls.predictions.decoder.weight", "tied to bert.embeddings.word_embeddings.weight"},
            {"vision.weight", "no part of a BERT"}});
  CHECK(!load_tokenizer(c.options.out).options().lower_case);
  Case untied;
  untied.tensors.emplace_back("cls.predictions.decoder.weight", zeros({12, 8}));
  CHECK_MENTIONS(untied.refusal(), "differ");
}

TEST_CASE(
    "convert: labels, sizes, vocabulary and an output folder are checked before anything is "
    "written") {
  const NamedTensors classifier{{"classifier.weight", zeros({3, 8})},
                                {"classifier.bias", zeros({3})}};
  Case labelled;
  labelled.tensors.insert(labelled.tensors.end(), classifier.begin(), classifier.end());
  labelled.drop("cls.");
  CHECK(labelled.run().notes.size() == 1);
  CHECK(load_config(labelled.options.out).id2label.at(2) == "LABEL_2");
  labelled.config.id2label = {{0, "no"}, {1, "yes"}};
  CHECK_MENTIONS(labelled.refusal(), "has 3 rows, but the configuration names 2 labels");
  Case wider;
  wider.config.hidden_size = 1 << 20;  // 2^40 numbers a matrix: refused before any is allocated
  CHECK_MENTIONS(wider.refusal(), "is it another model's?");
  Case missing;
  missing.drop("bert.encoder.layer.1.output.dense.bias");
  CHECK_MENTIONS(missing.refusal(), "not in it: encoder.layer.1.output.dense.bias");
  Case full;
  full.run();
  CHECK_MENTIONS(error_of([&] { convert_model(full.options); }), "not empty");
  Case wordless;
  wordless.run();
  fs::remove_all(wordless.options.out);
  for (const char* file : {"vocab.txt", "tokenizer.json", "tokenizer_config.json"})
    fs::remove(wordless.options.model / file);
  CHECK_MENTIONS(error_of([&] { convert_model(wordless.options); }), "give one as options.vocab");
  CHECK(!fs::exists(wordless.options.out));
  small_tokenizer().vocabulary().save(wordless.scratch / "v.txt");
  wordless.options.vocab = wordless.scratch / "v.txt";
  CHECK(convert_model(wordless.options).lower_case);
}

TEST_CASE("convert: the pooling of sentence-transformers comes along") {
  Case c;
  save_model_folder(c.options.model, c.config, c.tensors, small_tokenizer());
  save_sentence_folder(
      {.body = c.options.model, .pooling = Pooling::cls, .normalize = true, .max_length = 9}, 8);
  CHECK(convert_model(c.options).notes.size() == 1);
  const SentenceFolder back = read_sentence_folder(c.options.out);
  CHECK(back.pooling == Pooling::cls);
  CHECK(back.normalize);
  CHECK(back.max_length == 9);
}
