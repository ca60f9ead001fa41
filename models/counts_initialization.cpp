#include "gradus/models/counts_initialization.h"

#include <cmath>
#include <numbers>

#include "gradus/base/error.h"
#include "gradus/models/bert_names.h"
#include "gradus/models/sinusoidal.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

// Of the BERT inside: its names begin with "bert." where it has a head.
Tensor named(const ParameterList& list, const std::string& name) {
  for (const Parameter& p : list)
    if (!p.tied && p.name.ends_with(name)) return p.view();
  fail("initial values from counts: the model has no parameter {}", name);
}

// The square matrices of a layer's attention.
enum class Matrix { query, key, value, output };
Tensor of_layer(const ParameterList& list, const BertConfig& config, int64_t layer, Matrix which) {
  constexpr const char* names[] = {"self.query", "self.key", "self.value", "output.dense"};
  const auto place = static_cast<int64_t>(which);
  const std::string prefix = layer_prefix(config, layer).substr(body_prefix(config).size());
  if (!config.modern)
    return named(list, fmt::format("{}attention.{}.weight", prefix, names[place]));
  if (which == Matrix::output) return named(list, prefix + "attn.Wo.weight");
  const int64_t n = config.hidden_size;  // stacked
  return slice(named(list, prefix + "attn.Wqkv.weight"), 0, place * n, (place + 1) * n);
}

Tensor transform(const ParameterList& list, const BertConfig& config) {
  return named(list,
               config.modern ? "head.dense.weight" : "cls.predictions.transform.dense.weight");
}

void set(Tensor to, std::span<const float> values, double factor, const char* what) {
  check(to.numel() == static_cast<int64_t>(values.size()),
        "initial values from counts: {} {}, the model has {}", values.size(), what, to.numel());
  float* write = to.write<float>();
  for (const float value : values) *write++ = static_cast<float>(factor * value);
}

void add_identity(Tensor square, double factor) {
  const int64_t n = square.shape()[0];
  float* to = square.write<float>();
  for (int64_t i = 0; i < n; ++i) to[i * n + i] += static_cast<float>(factor);
}

int64_t head_size(const BertConfig& config) {
  return config.hidden_size / config.num_attention_heads;
}

}  // namespace

void begin_output_bias(const ParameterList& list, const BertConfig& config,
                       std::span<const float> log_frequency) {
  const NoGrad scope;
  set(named(list, config.modern ? "decoder.bias" : "cls.predictions.bias"), log_frequency, 1,
      "log frequencies");
}

void begin_with_counts(const ParameterList& list, const BertConfig& config,
                       const CountsInitialization& with) {
  const NoGrad scope;
  set(named(list, word_embeddings_name(config)), with.vectors, with.rms, "vectors' numbers");
  begin_output_bias(list, config, with.log_frequency);
}

std::vector<double> position_frequencies(const BertConfig& config) {
  const int64_t even = head_size(config) / 2, all = config.hidden_size / 2;
  std::vector<double> frequencies;
  for (int64_t i = 0; i < all; ++i) {
    if (i < even) {
      const double golden = static_cast<double>(i) / std::numbers::phi;
      frequencies.push_back(std::numbers::pi *
                            (static_cast<double>(i) + golden - std::floor(golden)) /
                            static_cast<double>(even));
    } else {
      frequencies.push_back(
          std::pow(1000.0, -static_cast<double>(i - even + 1) / static_cast<double>(all - even)));
    }
  }
  return frequencies;
}

void place_positions(const ParameterList& list, const BertConfig& config, double rms) {
  const NoGrad scope;
  std::vector<double> periods;
  for (const double frequency : position_frequencies(config)) periods.push_back(1 / frequency);
  fill_sinusoidal(named(list, "embeddings.position_embeddings.weight"), periods, rms);
}

int64_t head_offset(const BertConfig& config, int64_t layer, int64_t head) {
  const int64_t k = (layer * config.num_attention_heads + head) % 6;
  return (k / 2 + 1) * (k % 2 ? 1 : -1);
}

namespace {
struct OffsetHead {
  int64_t layer;
  double offset;       // of the token that it is to look at
  float *query, *key;  // its rows of the matrices, [head_size, hidden_size]
};

// Calls f with each head of the first layers.
template <class F>
void for_each_head(const ParameterList& list, const BertConfig& config, int64_t layers, F&& f) {
  const int64_t rows = config.hidden_size * head_size(config);
  for (int64_t layer = 0; layer < std::min(layers, config.num_hidden_layers); ++layer) {
    float* query = of_layer(list, config, layer, Matrix::query).write<float>();
    float* key = of_layer(list, config, layer, Matrix::key).write<float>();
    for (int64_t head = 0; head < config.num_attention_heads; ++head)
      f(OffsetHead{layer, static_cast<double>(head_offset(config, layer, head)),
                   query + head * rows, key + head * rows});
  }
}
}  // namespace

void look_at_offsets(const ParameterList& list, const BertConfig& config, int64_t layers,
                     double sharpness) {
  const NoGrad scope;
  const std::vector<double> frequencies = position_frequencies(config);
  const int64_t n = config.hidden_size, d = head_size(config);
  for_each_head(list, config, layers, [&](const OffsetHead& h) {
    for (int64_t i = 0; i < d / 2; ++i) {
      const double angle = h.offset * frequencies[static_cast<size_t>(i)];
      const auto a = static_cast<float>(sharpness * std::cos(angle)),
                 b = static_cast<float>(sharpness * std::sin(angle));
      const int64_t sine = 2 * i * n + 2 * i, cosine = sine + n;
      h.query[sine] += a, h.query[sine + 1] += b;
      h.query[cosine] -= b, h.query[cosine + 1] += a;
      h.key[sine] += static_cast<float>(sharpness);
      h.key[cosine + 1] += static_cast<float>(sharpness);
    }
  });
}

namespace {
// What all tokens share: +1, -1, +1 … over the features, of which a norm takes nothing away.
double shared(int64_t feature) { return feature % 2 == 0 ? 1 : -1; }

// Slower ones do not tell neighbours apart, and favour whichever token has more of what all share.
constexpr double slowest_turn = 0.1;
}  // namespace

void share_a_direction(const ParameterList& list, const BertConfig& config, double rms) {
  const NoGrad scope;
  Tensor embeddings = named(list, word_embeddings_name(config));
  float* to = embeddings.write<float>();
  for (int64_t i = 0; i < embeddings.numel(); ++i)
    to[i] += static_cast<float>(rms * shared(i % config.hidden_size));
}

void turn_to_offsets(const ParameterList& list, const BertConfig& config, int64_t layers,
                     double turned) {
  const NoGrad scope;
  const TransformerOptions options = config.transformer();
  const int64_t n = config.hidden_size, d = head_size(config);
  // attention divides scores by sqrt(d)
  const double size = turned * std::sqrt(std::sqrt(static_cast<double>(d)));
  for_each_head(list, config, layers, [&](const OffsetHead& h) {
    for (int64_t i = 0; i < d / 2; ++i) {
      const double frequency = std::pow(options.rotary_base_of(h.layer).value(),
                                        -2 * static_cast<double>(i) / static_cast<double>(d)),
                   cosine = std::cos(h.offset * frequency), sine = std::sin(h.offset * frequency);
      if (frequency < slowest_turn) break;
      const int64_t first = i * n, second = first + d / 2 * n;  // the pair's rows
      for (int64_t feature = 0; feature < n; ++feature) {
        const double u = size * shared(feature) / static_cast<double>(n);
        h.query[first + feature] += static_cast<float>(u * cosine);
        h.query[second + feature] += static_cast<float>(u * sine);
        h.key[first + feature] += static_cast<float>(u);
      }
    }
  });
}

void pass_values_on(const ParameterList& list, const BertConfig& config, double passed_on,
                    double transformed) {
  const NoGrad scope;
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer)
    for (const Matrix which : {Matrix::value, Matrix::output})
      add_identity(of_layer(list, config, layer, which), passed_on);
  add_identity(transform(list, config), transformed);
}

void initialize_from_counts(const ParameterList& list, const BertConfig& config,
                            const CountsInitialization& with) {
  begin_with_counts(list, config, with);
  pass_values_on(list, config, with.passed_on, with.transformed);
  check(head_size(config) % 2 == 0,
        "initial values from counts: the heads have {} features; it takes an even number",
        head_size(config));
  if (config.modern) {
    share_a_direction(list, config, 2 * with.rms);
    turn_to_offsets(list, config, with.layers, with.turned);
  } else {
    place_positions(list, config, with.rms);
    look_at_offsets(list, config, with.layers, with.sharpness);
  }
}

}  // namespace gradus
