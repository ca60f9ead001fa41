// What stands beside the weights in a model's folder, and text itself.
#include <algorithm>

#include "gradus/data/corpus_builder.h"
#include "gradus/data/corpus_statistics.h"
#include "gradus/io/sentence_folder.h"
#include "gradus/io/weights.h"
#include "gradus/text/wordpiece_trainer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/replaced.h"
#include "tests/fuzz/small_classifier.h"

namespace gradus::testing {
namespace {
namespace fs = std::filesystem;

const std::vector<std::string>& tokenizer_names() {
  static const std::vector<std::string> names{"vocab.txt",
                                              "tokenizer.json",
                                              "tokenizer_config.json",
                                              "modules.json",
                                              "1_Pooling-config.json",
                                              "sentence_bert_config.json",
                                              "config_sentence_transformers.json"};
  return names;
}

struct SentenceModel {
  Scratch scratch;
  SentenceModel() {
    save_unhashed_classifier(scratch.path());
    SentenceFolder settings;
    settings.body = scratch.path();
    settings.max_length = 12;
    save_sentence_folder(settings, small_config().hidden_size);
  }
  fs::path file(const std::string& name) const {
    return scratch / (name == "1_Pooling-config.json" ? "1_Pooling/config.json" : name);
  }
};

std::vector<std::string> tokenizer_seeds() {
  const SentenceModel model;
  std::vector<std::string> seeds;
  for (const std::string& name : tokenizer_names())
    if (fs::exists(model.file(name))) seeds.push_back(name + "\n" + read_file(model.file(name)));
  return seeds;
}

void encode(const Tokenizer& tokenizer) {
  const Encoding e = tokenizer.encode("The a-b c. \xC3\x89t\xC3\xA9 \xE4\xB8\xAD");
  tokenizer.decode(tokenizer.sequence(e, 8).ids);
}

void read_tokenizer(std::string_view input) {
  static const SentenceModel model;
  const auto [name, bytes] = named(input);
  if (std::find(tokenizer_names().begin(), tokenizer_names().end(), name) ==
      tokenizer_names().end())
    return;
  const Replaced file(model.file(name), bytes);
  std::optional<Replaced> aside;  // where vocab.txt is not there, tokenizer.json is read
  if (name == "tokenizer.json") aside.emplace(model.file("vocab.txt"), std::nullopt);
  encode(load_tokenizer(model.scratch.path()));
  read_sentence_folder(model.scratch.path());
}

std::vector<std::string> config_seeds() {
  const Scratch scratch;
  save_unhashed_classifier(scratch.path());
  return {"config.json\n" + read_file(scratch / "config.json"),
          "config.json\n{\"architectures\":[\"BertForSequenceClassification\"],\"hidden_size\":8,"
          "\"num_hidden_layers\":2,\"num_attention_heads\":2,\"intermediate_size\":16,"
          "\"vocab_size\":12,\"max_position_embeddings\":16,\"num_labels\":2}",
          "model.safetensors.index.json\n{\"weight_map\":{\"classifier.bias\":"
          "\"shard.safetensors\",\"bert.pooler.dense.bias\":\"shard.safetensors\"}}"};
}

void read_config(std::string_view input) {
  static const struct Model {
    Scratch scratch;
    Model() { save_unhashed_classifier(scratch.path()); }
  } model;
  const auto [name, bytes] = named(input);
  if (name == "config.json") {
    const Replaced file(model.scratch / name, bytes);
    predict_with(model.scratch.path());
  } else if (name == "model.safetensors.index.json") {
    static const std::string weights = read_file(model.scratch / "model.safetensors");
    const Replaced index(model.scratch / name, bytes);
    const Replaced shard(model.scratch / "shard.safetensors", weights);
    const Replaced none(model.scratch / "model.safetensors", std::nullopt);
    const Weights shards(model.scratch.path());
  }
}

// All that text goes through: rules, words, offsets, windows, the trainer, sentences.
void read_wordpiece(std::string_view input) {
  static const Scratch scratch;
  const std::string text = replace_invalid_utf8(input);
  for (const TokenizerMode mode : {TokenizerMode::hf, TokenizerMode::google})
    for (const bool lower_case : {true, false}) {
      const Tokenizer tokenizer = small_tokenizer({.lower_case = lower_case, .mode = mode});
      const Encoding whole = tokenizer.encode(text);
      for (size_t i = 0; i < whole.ids.size(); ++i)
        if (whole.offsets[i].first < 0 || whole.offsets[i].first > whole.offsets[i].second)
          throw Finding("an offset is out of order");
      tokenizer.decode(whole.ids);
      tokenizer.windows(whole, 8, 2);
      std::vector<int32_t> ids;
      tokenizer.append_ids(text, ids);
      if (ids != whole.ids) throw Finding("append_ids() and encode() differ");
    }
  put(scratch / "text.txt", std::string(input));
  WordPieceTrainerOptions options;
  options.size = 40;
  options.limit_alphabet = 20;
  options.replace_invalid = true;
  const Vocabulary trained(train_wordpiece({scratch / "text.txt"}, options));
  options.replace_invalid = false;
  train_wordpiece({scratch / "text.txt"}, options);
}

std::vector<std::string> wordpiece_seeds() {
  return {"The a b. ab aab abba\n\nthe the c.",
          // NOLINTNEXTLINE(misc-misleading-bidirectional)
          "\xC3\x89t\xC3\xA9 \xE4\xB8\xAD\xE6\x96\x87 \xF0\x9F\x98\x80 a\xCC\x81 \xC4\xB0 "
          "\xEF\xBB\xBF\xE2\x80\xAE na\xC3\xAFve",
          "[MASK] [CLS] a[SEP]b \t\r\n ## ##a"};
}

// Text files of every form through the corpus builder, with what it drops and cuts.
void read_text_file(std::string_view input) {
  static const Scratch scratch;
  const auto [name, bytes] = named(input);
  if (name != "a.txt" && name != "a.jsonl") return;
  put(scratch / name, std::string(bytes));
  CorpusOptions options{.corpus = {scratch / name}};
  options.overwrite = true;
  const auto build = [&] {
    build_corpus(scratch / "c.gds", small_tokenizer(), options);
    statistics(CorpusFile::open(scratch / "c.gds"));
  };
  options.replace_invalid = true;
  options.drop_duplicate_lines = 3;
  options.drop_near_duplicates = 0.8;
  try {
    build();
  } catch (const Error&) {  // the same text, read strictly and by another rule
  }
  options.replace_invalid = false;
  options.drop_duplicate_lines = 0;
  options.documents = Documents::pattern;
  options.document_start = "^the";
  build();
}

std::vector<std::string> text_file_seeds() {
  std::vector<std::string> seeds = {
      "a.txt\nThe a b. ab aab abba\n\nthe the c.\r\nthe the c.\r\n\nThe a b. ab aab abba\n",
      "a.jsonl\n{\"text\": \"a b.\\n\\nthe c\", \"n\": [1]}\n\n{\"text\": null}\n{\"text\": "
      "\"\\u00e9 the\"}"};
  // "a b.\nthe c\n", as gzip and zstd make it
  static constexpr unsigned char gz[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
                                         0x02, 0xff, 0x4b, 0x54, 0x48, 0xd2, 0xe3, 0x2a,
                                         0xc9, 0x48, 0x55, 0x48, 0xe6, 0x02, 0x00, 0x3c,
                                         0x9e, 0xd8, 0x2c, 0x0b, 0x00, 0x00, 0x00};
  static constexpr unsigned char zst[] = {0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x59, 0x00,
                                          0x00, 0x61, 0x20, 0x62, 0x2e, 0x0a, 0x74, 0x68,
                                          0x65, 0x20, 0x63, 0x0a, 0x13, 0x0e, 0x99, 0x4c};
  seeds.push_back("a.txt\n" + std::string(reinterpret_cast<const char*>(gz), sizeof gz));
  seeds.push_back("a.txt\n" + std::string(reinterpret_cast<const char*>(zst), sizeof zst));
  return seeds;
}

}  // namespace

Formats text_formats() {
  return {{"config", config_seeds, read_config, true},
          {"tokenizer", tokenizer_seeds, read_tokenizer, true},
          {"text-file", text_file_seeds, read_text_file, true},
          {"wordpiece", wordpiece_seeds, read_wordpiece}};
}

}  // namespace gradus::testing
