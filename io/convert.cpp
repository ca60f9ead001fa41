#include "gradus/io/convert.h"

#include <algorithm>

#include "gradus/io/new_words.h"
#include "gradus/io/sentence_folder.h"
#include "gradus/io/weight_names.h"
#include "gradus/io/weights.h"
#include "gradus/models/bert.h"
#include "gradus/models/bert_names.h"

namespace gradus {
namespace fs = std::filesystem;
namespace {

struct Architecture {
  const char* ending;  // of its name, behind Bert or ModernBert
  // tensors it must have; it is taken by the first whose tensors are there
  std::vector<const char*> heads;
};

const std::vector<Architecture>& architectures(const BertConfig& config) {
  static const std::vector<Architecture>
      bert = {{"ForPreTraining", {"cls.predictions.bias", "cls.seq_relationship.weight"}},
              {"ForMaskedLM", {"cls.predictions.bias"}},
              {"ForNextSentencePrediction", {"cls.seq_relationship.weight"}},
              {"ForSequenceClassification", {"pooler.dense.weight", "classifier.weight"}},
              {"ForTokenClassification", {"classifier.weight"}},
              {"ForMultipleChoice", {"pooler.dense.weight", "classifier.weight"}},
              {"ForQuestionAnswering", {"qa_outputs.weight"}},
              {"Model", {}}},
      modern = {{"ForMaskedLM", {"decoder.bias"}},
                {"ForSequenceClassification", {"classifier.weight"}},
                {"ForTokenClassification", {"classifier.weight"}},
                {"ForMultipleChoice", {"classifier.weight"}},
                {"ForQuestionAnswering", {"classifier.weight"}},
                {"Model", {}}};
  return config.modern ? modern : bert;
}

// The configuration's where its tensors are there, except that of a body alone, which says nothing
// of a head that is there too.
std::string architecture_of(const Weights& weights, const BertConfig& config) {
  std::string chosen;
  for (const Architecture& a : architectures(config)) {
    const bool whole = std::all_of(a.heads.begin(), a.heads.end(),
                                   [&](const char* name) { return weights.find(name) != nullptr; });
    if (!whole) continue;
    const std::string name = config.class_named(a.ending);
    if (chosen.empty()) chosen = name;
    const auto& named = config.architectures;
    if (!a.heads.empty() && std::find(named.begin(), named.end(), name) != named.end()) return name;
  }
  return chosen;
}

// A classifier's rows are its labels, except where it scores choices.
void name_labels(const Weights& weights, BertConfig& config, ConvertReport& report) {
  const Weight* classifier = weights.find("classifier.weight");
  if (!classifier || config.architectures[0].ends_with("ForMultipleChoice") ||
      classifier->tensor.shape.rank() != 2)
    return;
  const int64_t rows = classifier->tensor.shape[0];
  if (config.id2label.empty() && rows != config.num_labels()) {
    for (int64_t id = 0; id < rows; ++id) config.id2label.emplace(id, fmt::format("LABEL_{}", id));
    report.notes.emplace_back(fmt::format(
        "the configuration names no labels; the classifier's {} are called LABEL_0 and on", rows));
  }
  if (rows != config.num_labels())
    fail("{}: '{}' has {} rows, but the configuration names {} labels",
         classifier->file->path().string(), classifier->name, rows, config.num_labels());
}

Tokenizer tokenizer_of(const ConvertOptions& o, ConvertReport& report) {
  const fs::path folder = folder_of_model(o.model);
  const bool has_own = fs::exists(folder / "vocab.txt") || fs::exists(folder / "tokenizer.json");
  check(o.vocab || has_own,
        "{}: there is neither vocab.txt nor tokenizer.json in it; give one as options.vocab",
        folder.string());
  const bool states_rules =
      fs::exists(folder / "tokenizer_config.json") || fs::exists(folder / "tokenizer.json");
  if (!states_rules && !o.lower_case)
    report.notes.emplace_back(
        "nothing says whether the model is cased; it is taken as uncased; options.lower_case says "
        "otherwise");
  if (o.vocab && o.lower_case)
    return Tokenizer(Vocabulary::load(*o.vocab), {.lower_case = *o.lower_case});
  if (!has_own) return Tokenizer(Vocabulary::load(*o.vocab), {});
  const Tokenizer own = load_tokenizer(o.model);
  TokenizerOptions rules = own.options();
  if (o.lower_case) rules.lower_case = *o.lower_case;
  return Tokenizer(o.vocab ? Vocabulary::load(*o.vocab) : own.vocabulary(), rules);
}

// That the body is whole and of the configuration's sizes.
void check_body(const Weights& weights, const ConvertOptions& o, const BertConfig& config) {
  BertModel body(config);
  load_parameters(weights, o.model.string(), parameters(body), Body::whole);
}

// An alias of a tied parameter is left out where the parameter is there, and stands for it where
// not.
const char* tied_to(const std::string& plain) {
  if (plain == "cls.predictions.decoder.weight") return "embeddings.word_embeddings.weight";
  if (plain == "cls.predictions.decoder.bias") return "cls.predictions.bias";
  if (plain == "decoder.weight") return "embeddings.tok_embeddings.weight";
  return nullptr;
}

std::string legacy(std::string name) {
  for (const auto& [now, old] :
       {std::pair<std::string, std::string>{"LayerNorm.weight", "LayerNorm.gamma"},
        {"LayerNorm.bias", "LayerNorm.beta"}})
    if (name.ends_with(now)) name.replace(name.size() - now.size(), now.size(), old);
  return name;
}

NamedTensors converted(const Weights& weights, const ConvertOptions& o, const BertConfig& config,
                       ConvertReport& report) {
  NamedTensors tensors;
  report.dropped = weights.dropped();
  for (const auto& [name, weight] : weights.all()) {
    std::string plain = name;
    if (const char* owner = tied_to(name)) {
      const Weight* other = weights.find(owner);
      if (other && !other->tensor.same_values(weight.tensor))
        fail("{}: '{}' and '{}' differ, but are one parameter of a BERT (tied weights)",
             o.model.string(), other->name, weight.name);
      if (other) {
        report.dropped.emplace_back(weight.name, fmt::format("tied to {}", other->name));
        continue;
      }
      plain = owner;
    }
    if (!belongs_to_bert(plain) || !weight.tensor.is_readable()) {
      report.dropped.emplace_back(weight.name, weight.tensor.is_readable()
                                                   ? "no part of a BERT"
                                                   : weight.tensor.dtype + ", no parameter");
      continue;
    }
    const bool prefixed = report.architecture != config.class_named("Model") &&
                          (belongs_to_body(plain) || plain.starts_with("pooler."));
    std::string written = (prefixed ? body_prefix(config) : "") + plain;
    if (o.legacy_names) written = legacy(written);
    if (written != weight.name) report.renamed.emplace_back(weight.name, written);
    if (weight.transposed) report.transposed.push_back(weight.name);
    Tensor values = zeros(weight.tensor.shape);
    weight.tensor.read(values);
    tensors.emplace_back(std::move(written), values);
    ++report.tensors, report.numbers += values.numel();
  }
  return tensors;
}

}  // namespace

ConvertReport convert_model(const ConvertOptions& o) {
  ConvertReport report;
  const Weights weights(o.model, Weights::Beside::taken_as_it_is);
  if (!weights.changed().empty())
    report.notes.emplace_back(
        fmt::format("{} is not the one that was written with the weights; it is taken as it is",
                    weights.changed()));
  BertConfig config = load_config(o.model);
  if (std::string note = note_on_config(o.model); !note.empty())
    report.notes.emplace_back(std::move(note));
  check(!(o.legacy_names && config.modern),
        "options.legacy_names: a ModernBERT's tensors never had other names");
  report.form = weights.form();
  report.architecture = architecture_of(weights, config);
  config.architectures = {report.architecture};
  name_labels(weights, config, report);
  Tokenizer tokenizer = tokenizer_of(o, report);
  report.lower_case = tokenizer.options().lower_case;
  tokenizer.vocabulary().require_special();
  if (tokenizer.vocabulary().size() > config.vocab_size)
    fail("{}: its {} tokens are more than the model's vocab_size of {}",
         tokenizer.vocabulary().origin(), tokenizer.vocabulary().size(), config.vocab_size);
  check_body(weights, o, config);
  const fs::path folder = folder_of_model(o.model);
  std::optional<SentenceFolder> pooling;  // of sentence-transformers; it comes along
  if (fs::exists(folder / "modules.json")) pooling = read_sentence_folder(folder);
  NamedTensors tensors = converted(weights, o, config, report);
  if (!o.new_words.empty()) {
    const NewWords words = place_new_words(tokenizer, o.new_words);
    add_new_words(words, config, tensors);
    tokenizer = Tokenizer(Vocabulary(words.tokens, o.out.string()), tokenizer.options());
    report.notes.emplace_back(
        fmt::format("{} words have tokens of their own now, {} of them in unused rows; they begin "
                    "as the mean of their pieces",
                    words.words.size(), words.reused));
  }
  make_output_folder(o.out, o.overwrite);
  save_model_folder(o.out, config, tensors, tokenizer, o.stored);
  if (pooling) {
    pooling->body = o.out;
    save_sentence_folder(*pooling, config.hidden_size);
    report.notes.emplace_back("modules.json and its pooling came along");
  }
  return report;
}

}  // namespace gradus
