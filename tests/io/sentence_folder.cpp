#include "gradus/io/sentence_folder.h"

#include "gradus/base/file.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {
constexpr const char* kTransformer =
    R"({"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"})";
constexpr const char* kPooling = R"({"idx": 1, "name": "1", "path": "1_Pooling", )"
                                 R"("type": "sentence_transformers.models.Pooling"})";

struct Folder {
  Scratch scratch;
  fs::path path = scratch.path();
  Folder() { fs::create_directory(path / "1_Pooling"); }
  void modules(const std::string& third = "") {
    write_file(path / "modules.json", fmt::format("[{}, {}{}]", kTransformer, kPooling, third));
  }
  void pooling(const std::string& json) { write_file(path / "1_Pooling" / "config.json", json); }
  SentenceFolder read() const { return read_sentence_folder(path); }
  std::string error() const {
    return error_of([&] { read(); });
  }
};
}  // namespace

TEST_CASE("sentence-transformers folders: what is written is read") {
  const Folder f;
  for (const SentenceFolder& wanted : {SentenceFolder{f.path, Pooling::mean, true, 256},
                                       SentenceFolder{f.path, Pooling::cls, false, 0}}) {
    save_sentence_folder(wanted, 8);
    const SentenceFolder found = f.read();
    CHECK(found.body == f.path);
    CHECK(found.pooling == wanted.pooling);
    CHECK(found.normalize == wanted.normalize);
    CHECK(found.max_length == wanted.max_length);
  }
}

TEST_CASE(
    "sentence-transformers folders: old and new spellings, a body in a folder of its own, a plain "
    "folder") {
  Folder f;
  CHECK(f.read().pooling == Pooling::mean);
  CHECK_FALSE(f.read().normalize);
  write_file(f.path / "tokenizer_config.json", R"({"model_max_length": 128})");
  CHECK(f.read().max_length == 128);
  write_file(f.path / "tokenizer_config.json",
             R"({"model_max_length": 1000000000000000019884624838656})");
  CHECK(f.read().max_length == 0);
  f.modules(R"(, {"idx": 2, "name": "2", "path": "2_Normalize", "type": )"
            R"("sentence_transformers.sentence_transformer.modules.normalize.Normalize"})");
  f.pooling(R"({"embedding_dimension": 8, "pooling_mode": "cls", "include_prompt": true})");
  CHECK(f.read().pooling == Pooling::cls);
  CHECK(f.read().normalize);
  f.pooling(R"({"word_embedding_dimension": 8, "pooling_mode_cls_token": true, )"
            R"("pooling_mode_mean_tokens": false})");
  CHECK(f.read().pooling == Pooling::cls);
  f.pooling(R"({"word_embedding_dimension": 8})");
  CHECK(f.read().pooling == Pooling::mean);
  f.pooling(R"({"pooling_mode": ["mean"]})");
  CHECK(f.read().pooling == Pooling::mean);
  const fs::path prompts = f.path / "config_sentence_transformers.json";
  write_file(prompts, R"({"prompts": {"query": "query: "}, "default_prompt_name": null})");
  CHECK(f.read().prompt.empty());
  write_file(prompts, R"({"prompts": {"query": "query: "}, "default_prompt_name": "query"})");
  CHECK(f.read().prompt == "query: ");
  CHECK_FALSE(f.read().needs_lower_case);
  fs::create_directory(f.path / "0_BERT");
  write_file(
      f.path / "modules.json",
      fmt::format(
          R"([{{"path": "0_BERT", "type": "sentence_transformers.models.Transformer"}}, {}])",
          kPooling));
  write_file(f.path / "0_BERT" / "sentence_bert_config.json",
             R"({"max_seq_length": 75, "do_lower_case": true})");
  CHECK(f.read().needs_lower_case);
  CHECK(f.read().body == f.path / "0_BERT");
  CHECK(f.read().max_length == 75);
}

TEST_CASE("sentence-transformers folders: what cannot be done is refused by name") {
  Folder f;
  f.modules(R"(, {"path": "2_Dense", "type": "sentence_transformers.models.Dense"})");
  f.pooling(R"({"pooling_mode_mean_tokens": true})");
  CHECK_MENTIONS(f.error(), "module 2 is a 'sentence_transformers.models.Dense'");
  f.modules();
  f.pooling(R"({"pooling_mode_max_tokens": true})");
  CHECK_MENTIONS(f.error(), "the pooling is max;");
  f.pooling(R"({"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true})");
  CHECK_MENTIONS(f.error(), "the pooling is cls and mean;");
  f.pooling(R"({"pooling_mode": ["lasttoken"]})");
  CHECK_MENTIONS(f.error(), "lasttoken");
  f.pooling(R"({"pooling_mode": 5})");
  CHECK_MENTIONS(f.error(), "the pooling is 5;");
  f.pooling(R"({"pooling_mode": "mean", "include_prompt": false})");
  CHECK_MENTIONS(f.error(), "include_prompt");
  f.pooling(R"({"pooling_mode": "mean"})");
  write_file(f.path / "config_sentence_transformers.json",
             R"({"prompts": {}, "default_prompt_name": "query"})");
  CHECK_MENTIONS(f.error(), "default_prompt_name is \"query\"");
  fs::remove(f.path / "config_sentence_transformers.json");
  write_file(f.path / "modules.json", fmt::format("[{}]", kTransformer));
  CHECK_MENTIONS(f.error(), "no Pooling");
  for (const char* wrong : {"{}", "[]", "[1]", R"([{"type": 5, "path": ""}])", "["}) {
    write_file(f.path / "modules.json", wrong);
    CHECK_MENTIONS(f.error(), "modules.json");
  }
  fs::remove(f.path / "modules.json");
  write_file(f.path / "sentence_bert_config.json", R"({"max_seq_length": 1})");
  CHECK_MENTIONS(f.error(), "max_seq_length is 1");
  CHECK_MENTIONS(error_of([&] { read_sentence_folder(f.path / "none"); }), "no such model folder");
}
