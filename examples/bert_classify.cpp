// A fine-tuned BERT answers: load a folder (`gradus finetune classify` makes one, so does
// transformers), tokenize, run, softmax.
//
//   bert_classify FOLDER "a gorgeous , witty film" …
// Without arguments: a random model of two classes, to show the steps.
#include "gradus/io/model_folder.h"
#include "gradus/models/heads.h"

using namespace gradus;

namespace {

struct Classifier {
  Tokenizer tokenizer;
  BertForTask model;
};

Classifier load(const std::string& folder) {
  Classifier c{load_tokenizer(folder),
               BertForTask(BertHead::sequence_classification, load_config(folder))};
  load_parameters(folder, parameters(c.model)).require_trained("classifier");
  return c;
}

Classifier random_classifier() {
  Tokenizer tokenizer(Vocabulary(
      {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "##s", "fine", "dull"}));
  BertConfig config = BertConfig::named("tiny", tokenizer.vocabulary().size());
  config.id2label = {{0, "negative"}, {1, "positive"}};
  BertForTask model(BertHead::sequence_classification, config);
  initialize_bert(parameters(model), config, BertInitialization::hugging_face, 1);
  return {std::move(tokenizer), std::move(model)};
}

}  // namespace

int main(int count, char** arguments) try {
  const Classifier c = count > 1 ? load(arguments[1]) : random_classifier();
  std::vector<std::string> texts(arguments + std::min(count, 2), arguments + count);
  if (texts.empty()) texts = {"a fine film", "dull films"};

  TokenBatch batch;
  for (const std::string& text : texts)
    batch.add(
        c.tokenizer.sequence(c.tokenizer.encode(text), c.model.bert.config.max_position_embeddings)
            .ids);
  const NoGrad scope;
  const Tensor p = softmax(c.model(BertInput(c.model.bert.config, batch)));  // [texts, labels]
  const auto best = argmax(p, -1).to_vector<int64_t>();
  const auto values = p.to_vector<double>();
  for (size_t i = 0; i < texts.size(); ++i)
    fmt::print("{:<10} {:.3f}  {}\n", c.model.bert.config.id2label.at(best[i]),
               values[i * static_cast<size_t>(p.size(1)) + static_cast<size_t>(best[i])], texts[i]);
} catch (const Error& error) {
  fmt::print(stderr, "{}\n", error.what());
  return error.exit_code;
}
