// gradus embed: a vector for each line, pooled as the folder says; or, with --layers, the vectors
// of its tokens, as Google's extract_features.py has them.
#include <fmt/ranges.h>
#include <unistd.h>

#include <chrono>
#include <cmath>

#include "gradus/base/json.h"
#include "gradus/cli/cli.h"
#include "gradus/cli/lines.h"
#include "gradus/cli/lists.h"
#include "gradus/cli/output.h"
#include "gradus/io/model_folder.h"
#include "gradus/io/npy.h"
#include "gradus/io/sentence_folder.h"

namespace gradus::cli {
namespace {

struct EmbedOptions {
  std::string model, pooling, format = "jsonl", out, layers, file = "-";
  bool normalize = false, no_normalize = false, save_modules = false, overwrite = false;
  int64_t max_length = 0, batch_tokens = 4096;
};

// Texts that are read, sorted by length and written together. What is held is their vectors; of all
// their tokens' those are many times more.
constexpr size_t kTextsAtOnce = 8192, kTextsAtOnceByToken = 64;

// Where vectors go, in the order of the lines.
class Output {
 public:
  virtual ~Output() = default;
  virtual void write(const BertModel& model, const std::vector<Sequence>& sequences) = 0;
  virtual void flush() = 0;  // what was written can be read, where `out` is a pipe
  virtual void commit() = 0;
};

class NpyOutput : public Output {
 public:
  NpyOutput(const std::string& path, int64_t hidden_size, const EmbeddingOptions& options)
      : file_(path, hidden_size), options_(options) {}
  void write(const BertModel& model, const std::vector<Sequence>& sequences) override {
    const Tensor vectors = embed(model, sequences, options_);
    file_.write({vectors.data<float>(), static_cast<size_t>(vectors.numel())});
  }
  void flush() override { file_.flush(); }
  void commit() override { file_.commit(); }

 private:
  NpyWriter file_;
  EmbeddingOptions options_;
};

// {"index": 0, "embedding": [...]}, each number as short as it can be without becoming another f32.
class JsonOutput : public Output {
 public:
  JsonOutput(const std::string& path, const EmbeddingOptions& options)
      : file_(path), options_(options) {}
  void write(const BertModel& model, const std::vector<Sequence>& sequences) override {
    const Tensor vectors = embed(model, sequences, options_);
    const auto size = static_cast<size_t>(model.config.hidden_size);
    for (size_t i = 0; i < sequences.size(); ++i)
      file_.write(fmt::format("{{\"index\": {}, \"embedding\": [{}]}}\n", index_++,
                              fmt::join(std::span(vectors.data<float>() + i * size, size), ", ")));
  }
  void flush() override { file_.flush(); }
  void commit() override { file_.commit(); }

 private:
  FileWriter file_;
  EmbeddingOptions options_;
  size_t index_ = 0;
};

// A line of extract_features.py: {"linex_index": 0, "features": [{"token": "[CLS]", "layers":
// [{"index": -1, "values": [...]}]}]}, six decimals.
class LayersOutput : public Output {
 public:
  LayersOutput(const std::string& path, const EmbedOptions& o, const BertConfig& config,
               const Vocabulary& vocabulary)
      : file_(path), batch_tokens_(o.batch_tokens), vocabulary_(vocabulary) {
    const int64_t count = config.num_hidden_layers;
    for (const std::string& number : split(o.layers, ',')) {
      int64_t layer = 0;
      check(parse(number, layer), "--layers {}: '{}' is not a number of a layer", o.layers, number);
      if (layer < -count || layer >= count)
        fail("--layers {}: the model has {} layers, 0 to {}, or from the last -1 to -{}", layer,
             count, count - 1, count);
      layers_.push_back(layer);
    }
  }

  void write(const BertModel& model, const std::vector<Sequence>& sequences) override {
    std::vector<std::string> lines(sequences.size());
    const NoGrad scope;
    for_each_batch(model.config, sequences, batch_tokens_,
                   [&](const BertInput& batch, const std::vector<size_t>& rows) {
                     Tensors states;
                     model(batch, &states);
                     for (size_t i = 0; i < rows.size(); ++i)
                       lines[rows[i]] = features(sequences[rows[i]], states,
                                                 batch.sequences.begin(static_cast<int64_t>(i)));
                   });
    for (const std::string& line : lines)
      file_.write(fmt::format("{{\"linex_index\": {}, \"features\": [{}]}}\n", index_++, line));
  }
  void flush() override { file_.flush(); }
  void commit() override { file_.commit(); }

 private:
  // states: the embeddings' output and each layer's, of which layer 0 is the first; the sequence's
  // first token stands in row `begin`.
  std::string features(const Sequence& sequence, const Tensors& states, int64_t begin) const {
    std::string text;
    for (size_t t = 0; t < sequence.ids.size(); ++t) {
      text += fmt::format("{}{{\"token\": {}, \"layers\": [", t ? ", " : "",
                          nlohmann::json(vocabulary_.token(sequence.ids[t])).dump());
      for (size_t l = 0; l < layers_.size(); ++l) {
        const Tensor& state = states[static_cast<size_t>(
            layers_[l] < 0 ? static_cast<int64_t>(states.size()) + layers_[l] : layers_[l] + 1)];
        text += fmt::format("{}{{\"index\": {}, \"values\": [", l ? ", " : "", layers_[l]);
        const float* row = state.data<float>() + (begin + static_cast<int64_t>(t)) * state.size(1);
        for (int64_t i = 0; i < state.size(1); ++i)
          text += fmt::format("{}{}", i ? ", " : "", std::round(double{row[i]} * 1e6) / 1e6);
        text += "]}";
      }
      text += "]}";
    }
    return text;
  }

  FileWriter file_;
  std::vector<int64_t> layers_;
  int64_t batch_tokens_;
  const Vocabulary& vocabulary_;
  size_t index_ = 0;
};

// With --layers a line may be two texts with " ||| " between, the last one in it where there are
// several.
Sequence sequence_of(const Tokenizer& tokenizer, std::string_view line, bool may_be_pair,
                     int64_t max_length, bool& cut) {
  constexpr std::string_view kBetween = " ||| ";
  const size_t at = may_be_pair ? line.rfind(kBetween) : std::string_view::npos;
  const Encoding first = tokenizer.encode(line.substr(0, at));
  if (at == std::string_view::npos) {
    cut = static_cast<int64_t>(first.ids.size()) + 2 > max_length;
    return tokenizer.sequence(first, max_length);
  }
  const Encoding second = tokenizer.encode(line.substr(at + kBetween.size()));
  cut = static_cast<int64_t>(first.ids.size() + second.ids.size()) + 3 > max_length;
  return tokenizer.sequence(first, second, max_length);
}

// What the folder says, and what the options say instead.
SentenceFolder settings_of(const EmbedOptions& o) {
  SentenceFolder settings = read_sentence_folder(o.model);
  if (!o.pooling.empty()) settings.pooling = o.pooling == "cls" ? Pooling::cls : Pooling::mean;
  if (o.normalize || o.no_normalize) settings.normalize = o.normalize;
  const int64_t positions = load_config(settings.body).max_position_embeddings;
  if (o.max_length > positions)
    fail("--max-seq-length {}: the model has {} positions", o.max_length, positions);
  if (o.max_length) settings.max_length = o.max_length;
  if (!settings.max_length || settings.max_length > positions) settings.max_length = positions;
  return settings;
}

void run(const EmbedOptions& o) {
  const SentenceFolder settings = settings_of(o);
  const BertConfig config = load_config(settings.body);
  if (o.save_modules) {
    if (settings.body != o.model)
      fail("{}: its modules are there already, for the BERT in {}", o.model,
           settings.body.string());
    return save_sentence_folder(settings, config.hidden_size);
  }
  check(!o.out.empty(), "--out is missing: the file for the vectors");
  check_output(o.out, o.overwrite, {o.file});
  check(
      o.layers.empty() || o.format == "jsonl",
      "--layers gives vectors of tokens, which go into jsonl; --format {} is for vectors of texts",
      o.format);

  const Tokenizer tokenizer = load_tokenizer(settings.body);
  check(!settings.needs_lower_case || tokenizer.options().lower_case,
        "{}: its texts are to be lower-cased (do_lower_case), but its tokenizer is cased; such a "
        "folder cannot be used",
        o.model);
  BertModel model(config);
  const LoadReport report = load_parameters(settings.body, parameters(model));
  if (!report.fresh.empty())
    fail("{}: {}; vectors of a model that is not whole mean nothing", o.model, report.to_text());

  const EmbeddingOptions options{
      .pooling = settings.pooling, .normalize = settings.normalize, .batch_tokens = o.batch_tokens};
  std::unique_ptr<Output> output;
  if (!o.layers.empty())
    output = std::make_unique<LayersOutput>(o.out, o, config, tokenizer.vocabulary());
  else if (o.format == "npy")
    output = std::make_unique<NpyOutput>(o.out, config.hidden_size, options);
  else output = std::make_unique<JsonOutput>(o.out, options);

  const auto start = std::chrono::steady_clock::now();
  std::vector<Sequence> waiting;
  size_t texts = 0, truncated = 0;
  const auto answer = [&] {
    output->write(model, waiting);
    texts += waiting.size();
    waiting.clear();
    if (::isatty(STDERR_FILENO)) fmt::print(stderr, "\r{} texts", texts);
  };
  const auto take = [&](std::string_view line, int64_t) {
    bool cut = false;
    const std::string text =
        o.layers.empty() ? settings.prompt + std::string(line) : std::string(line);
    waiting.push_back(sequence_of(tokenizer, text, !o.layers.empty(), settings.max_length, cut));
    truncated += cut;
    if (waiting.size() == (o.layers.empty() ? kTextsAtOnce : kTextsAtOnceByToken)) answer();
  };
  for_each_input_line(o.file, take, [&] {
    answer();
    output->flush();
  });
  answer();
  output->commit();
  if (::isatty(STDERR_FILENO)) fmt::print(stderr, "\r");
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print(stderr, "{} texts in {:.1f} s, {} of them cut to {} tokens\n", texts, seconds,
             truncated, settings.max_length);
}

}  // namespace

void add_embed(Verb& program) {
  auto o = std::make_shared<EmbedOptions>();
  Verb verb = program.verb("embed", "vectors of texts or of their tokens, by a BERT");
  verb.option("--model", o->model,
              "a model folder; modules.json, 1_Pooling and 2_Normalize in it are heeded")
      .required();
  verb.option("--out", o->out,
              "the file for the vectors, in the order of the lines; an empty line is [CLS] [SEP]");
  verb.flag("--overwrite", o->overwrite, "in place of a file that is there");
  verb.option("--format", o->format, "jsonl or npy").one_of({"jsonl", "npy"});
  verb.option("--pooling", o->pooling,
              "mean of the tokens or cls; default: as the folder says, else mean")
      .one_of({"mean", "cls"});
  const Option normalize = verb.flag("--normalize", o->normalize,
                                     "vectors of length 1; default: as the folder says, else not");
  verb.flag("--no-normalize", o->no_normalize).excludes(normalize);
  verb.option("--max-seq-length", o->max_length, "tokens of a text; default: as the folder says")
      .between(2, int64_t{1} << 31);
  verb.option("--batch-tokens", o->batch_tokens, "tokens that run together").positive();
  verb.option("--layers", o->layers,
              "vectors of tokens instead, from these layers (-1,-2: the last two), as "
              "extract_features.py writes them");
  verb.flag("--save-modules", o->save_modules,
            "write pooling, norm and length into the folder, for sentence-transformers, and end");
  verb.option("FILE", o->file,
              "a text a line (with --layers also: text ||| text); - for standard input");
  verb.footer(
      "Example: gradus embed --model all-MiniLM-L6-v2 --format npy --out vectors.npy "
      "sentences.txt");
  verb.does([o] { run(*o); });
}

}  // namespace gradus::cli
