#include "tests/parity/parity.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "gradus/base/json.h"
#include "gradus/io/model_folder.h"
#include "gradus/io/safetensors.h"
#include "gradus/models/heads.h"
#include "gradus/nn/losses.h"
#include "tests/json_rows.h"

namespace gradus::testing {
namespace {

using Json = nlohmann::json;

// Values, probabilities and losses; gradients; and what may be left of the gradient of a key's
// bias, which is truly zero: softmax cannot see it. (In f32, or four times what is left in PyTorch,
// where that is more: one draw of rounding errors beside another.)
struct Allowed {
  double value, gradient, key_bias;
};
Allowed allowed(DType dtype) {
  return dtype == DType::f64 ? Allowed{1e-10, 1e-9, 1e-12} : Allowed{1e-5, 1e-4, 1e-6};
}

double largest(const std::vector<double>& values) {
  double result = 0;
  for (const double x : values) result = std::isnan(x) ? x : std::max(result, std::abs(x));
  return result;
}

double relative(const std::vector<double>& ours, const std::vector<double>& theirs) {
  if (ours.size() != theirs.size())
    fail("{} numbers are compared with {}", ours.size(), theirs.size());
  std::vector<double> difference(ours.size());
  for (size_t i = 0; i < ours.size(); ++i) difference[i] = ours[i] - theirs[i];
  return largest(difference) / std::max(largest(theirs), 1e-300);
}

std::vector<double> gradient_of(const Parameter& p) {
  return slice(p.leaf.grad(), 0, p.begin, p.end).to_vector<double>();
}

struct Case {
  Json json;
  SafetensorsFile expected;
  BertConfig config;
  DType dtype;
  BertInput input;
  std::vector<Distance> distances;

  Case(const std::filesystem::path& folder, const std::string& hidden_act, DType dtype)
      : json(read_json(folder / "case.json")),
        expected(folder / ("expected-" + hidden_act + ".safetensors")),
        config(with(load_config(folder), hidden_act)),
        dtype(dtype),
        input(config, {joined<int32_t>(json.at("ids")), joined<int32_t>(json.at("types")),
                       lengths(json.at("ids"))}) {}

  static BertConfig with(BertConfig config, const std::string& hidden_act) {
    config.hidden_act = hidden_act;
    return config;
  }
  std::vector<double> theirs(const std::string& name) const {
    Tensor tensor = Tensor::empty(expected.entry(name).shape, DType::f64);
    expected.read(name, tensor);
    return tensor.to_vector<double>();
  }
  std::vector<int32_t> numbers(const char* key) const {
    return json.at(key).get<std::vector<int32_t>>();
  }
  Tensor targets() const {
    const Json& rows = json.at("targets");
    return cast(from_vector(joined<double>(rows), {static_cast<int64_t>(rows.size()),
                                                   static_cast<int64_t>(rows[0].size())}),
                dtype);
  }

  void measure(const std::string& quantity, const Tensor& ours, const std::string& name,
               double allowed) {
    distances.push_back({quantity, relative(ours.to_vector<double>(), theirs(name)), allowed});
  }
};

// For a parameter whose gradient is zero, how far before it in the list the one stands that it is
// measured against; otherwise 0.
int truly_zero(const std::string& name, const Case& c) {
  const std::string head = c.json.at("head"),
                    last_norm = fmt::format("layer.{}.output.LayerNorm.bias",
                                            c.config.num_hidden_layers - 1);
  if (name.ends_with("key.bias")) return 2;
  // shifts the scores of all choices
  if (head == "multiple_choice" && name == "classifier.bias") return 1;
  if (head == "question_answering" &&
      (name == "qa_outputs.bias" || name == "classifier.bias" || name.ends_with(last_norm)))
    return 1;  // shifts the logits of all tokens
  return 0;
}

// model: with .bert and parts(). The two functions give its logits and its loss.
template <class Model>
void compare(Case& c, const std::filesystem::path& folder, Model& source,
             const std::function<Tensor(const Model&)>& logits,
             const std::function<Tensor(const Model&)>& loss) {
  const LoadReport report = load_parameters(folder, parameters(source));
  if (!report.fresh.empty() || !report.unused.empty())
    fail("{}: {}", folder.string(), report.to_text());
  Model model = clone(source, c.dtype);
  const Allowed allow = allowed(c.dtype);
  {
    const NoGrad scope;
    Tensors hidden_states;
    model.bert(c.input, &hidden_states);
    for (size_t layer = 0; layer < hidden_states.size(); ++layer)
      c.measure(fmt::format("hidden states {}", layer), hidden_states[layer],
                fmt::format("hidden_states.{}", layer), allow.value);
    for (size_t layer = 0; layer + 1 < hidden_states.size(); ++layer) {
      const TransformerLayer& block = model.bert.encoder.layer[layer];
      const Tensor& x = hidden_states[layer];
      const Tensors probabilities = block.attention.probabilities(
          block.pre_norm && block.attention_norm ? (*block.attention_norm)(x) : x,
          c.input.sequences);
      for (size_t s = 0; s < probabilities.size(); ++s)
        c.measure(fmt::format("attention probabilities {}", layer), probabilities[s],
                  fmt::format("probabilities.{}.{}", layer, s), allow.value);
    }
    c.measure("logits", logits(model), "logits", allow.value);
  }
  const Tensor value = loss(model);
  c.measure("loss", value, "loss", allow.value);
  backward(value);
  const auto list = parameters(model);
  for (size_t i = 0; i < list.size(); ++i) {
    const Parameter& p = list[i];
    if (p.tied) continue;
    // A gradient that is zero is measured against its neighbour's: the query's bias, the weight of
    // the head or of the norm.
    if (const int before = truly_zero(p.name, c)) {
      const double value =
          largest(gradient_of(p)) / largest(gradient_of(list[i - static_cast<size_t>(before)]));
      if (before == 2)
        c.distances.push_back(
            {"key biases", value,
             std::max(allow.key_bias,
                      c.dtype == DType::f32 ? 4 * c.theirs("key_bias_f32")[0] : 0)});
      else c.distances.push_back({"gradients", value, allow.gradient});
    } else
      c.measure("gradients", slice(p.leaf.grad(), 0, p.begin, p.end), "gradient." + p.name,
                allow.gradient);
  }
}

}  // namespace

std::vector<Distance> compare_head(const std::filesystem::path& folder,
                                   const std::string& hidden_act, DType dtype) {
  Case c(folder, hidden_act, dtype);
  const std::string head = c.json.at("head");

  if (head == "pretraining" || head == "masked_lm") {
    PretrainingTargets targets{{}, joined<int32_t>(c.json.at("masked_labels")), {}};
    for (int64_t s = 0; s < c.input.sequences.sequences(); ++s)
      for (const auto& position : c.json.at("predicted")[static_cast<size_t>(s)])
        targets.rows.push_back(static_cast<int32_t>(c.input.sequences.begin(s)) +
                               position.get<int32_t>());
    if (head == "pretraining") {
      targets.next_labels = c.numbers("labels");
      BertForPreTraining model(c.config);
      compare<BertForPreTraining>(
          c, folder, model,
          [&](const auto& m) {
            return concat({reshape(m.masked_logits(c.input, targets.rows), {-1}),
                           reshape(m.next_logits(c.input), {-1})},
                          0);
          },
          [&](const auto& m) { return m.loss(c.input, targets).total; });
    } else {
      BertForMaskedLM model(c.config);
      compare<BertForMaskedLM>(
          c, folder, model, [&](const auto& m) { return m.masked_logits(c.input, targets.rows); },
          [&](const auto& m) {
            return m.predictions
                .loss(m.bert(c.input), m.bert.embeddings.word_embeddings.weight, targets.rows,
                      targets.labels, static_cast<double>(targets.rows.size()))
                .loss;
          });
    }
    return c.distances;
  }

  check(c.config.architectures.size() == 1, "{}: its config.json names {} architectures",
        folder.string(), c.config.architectures.size());
  const auto kind = head_named(c.config.architectures[0]);
  check(kind.has_value(), "{}: {} is no head of BertForTask", folder.string(),
        c.config.architectures[0]);
  BertForTask model(*kind, c.config);
  compare<BertForTask>(
      c, folder, model, [&](const auto& m) { return m(c.input); },
      [&](const auto& m) -> Tensor {
        const Tensor y = m(c.input);
        if (head == "regression") return mean_squared_error(y, c.targets());
        if (head == "multilabel") return binary_cross_entropy(y, c.targets());
        if (head == "multiple_choice")
          return weighted_cross_entropy(reshape(y, {-1, 2}), c.numbers("labels"));
        if (head == "question_answering")
          return span_loss(y, c.input.sequences, c.numbers("starts"), c.numbers("ends"));
        if (head == "token_classification") {
          std::vector<int32_t> rows, labels;
          const auto all = joined<int32_t>(c.json.at("token_labels"));
          for (size_t i = 0; i < all.size(); ++i)
            if (all[i] >= 0) rows.push_back(static_cast<int32_t>(i)), labels.push_back(all[i]);
          return weighted_cross_entropy(
              take(y, from_vector(rows, {static_cast<int64_t>(rows.size())})), labels);
        }
        return weighted_cross_entropy(y, c.numbers("labels"));
      });
  return c.distances;
}

}  // namespace gradus::testing
