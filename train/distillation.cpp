#include "gradus/train/distillation.h"

#include <cmath>

#include "gradus/base/json.h"
#include "gradus/base/range.h"
#include "gradus/io/model_folder.h"
#include "gradus/nn/losses.h"
#include "gradus/train/finetuned_model.h"
#include "gradus/train/starting_weights.h"

namespace gradus {
namespace {

// While the teacher speaks: no history, no dropout.
struct Speaking {
  NoGrad no_grad;
  detail::Switch<&Modes::training> not_training{false};
};

void require_alike(const Tokenizer& student, const std::filesystem::path& folder) {
  const Tokenizer teacher = load_tokenizer(folder);
  check(teacher.fingerprint() == student.fingerprint(),
        "options.teacher {}: it reads text by another vocabulary ({} tokens, {}) than the student "
        "({} tokens, {}); a teacher needs the same",
        folder.string(), teacher.vocabulary().size(),
        teacher.options().lower_case ? "lower-cased" : "cased", student.vocabulary().size(),
        student.options().lower_case ? "lower-cased" : "cased");
}

BertForMaskedLM load_masked_lm(const std::filesystem::path& folder) {
  BertForMaskedLM model(load_config(folder));
  load_parameters(folder, parameters(model)).require_trained("masked-language-model head");
  return model;
}

BertForTask load_task(const std::filesystem::path& folder, const BertConfig& student) {
  FinetunedModel tuned(folder);
  check(
      has_same_head(tuned.config, student),
      "options.teacher {}: it is a {} with other labels than the student, a {}; a teacher answers "
      "the same",
      folder.string(), tuned.config.architectures[0], student.architectures[0]);
  return std::move(tuned.model);
}

}  // namespace

void check_distillation(const DistillationOptions& o) {
  check_range("options.teacher_weight", o.weight, {.at_least = 0});
  check_range("options.teacher_hidden", o.hidden, {.at_least = 0});
  check_range("options.teacher_temperature", o.temperature, {.above = 0});
}

Teacher::Teacher(const DistillationOptions& options, BertModel body, const Tokenizer& tokenizer,
                 const BertConfig& student, uint64_t seed)
    : options_(options), body_(std::move(body)), hash_(hash_of(parameters(body_))) {
  require_alike(tokenizer, options.teacher);
  const BertConfig& own = body_.config;
  check(own.max_position_embeddings >= student.max_position_embeddings,
        "options.teacher {}: it has {} positions, and the student {}", options.teacher.string(),
        own.max_position_embeddings, student.max_position_embeddings);
  if (!compares_states() || own.hidden_size == student.hidden_size) return;
  map_ = std::make_unique<Linear>(student.hidden_size, own.hidden_size);
  initialize_bert(learned(), student, BertInitialization::hugging_face, seed);
}

Teacher::~Teacher() = default;

ParameterList Teacher::learned() {
  struct Map {
    Linear& map;
    void parts(Parts& p) { p("distillation.map", map); }
  };
  if (!map_) return ParameterList(std::vector<Parameter>());
  Map map{*map_};
  return ParameterList(map);
}

std::string Teacher::describe() const {
  return fmt::format(
      "taught by {} ({} layers of {}): weight {:g} for its logits, {:g} for its hidden states{}. "
      "Its forward passes come on top of what is estimated",
      options_.teacher.string(), body_.config.num_hidden_layers, body_.config.hidden_size,
      options_.weight, options_.hidden, map_ ? ", by a map between the widths" : "");
}

void Teacher::add_settings(nlohmann::ordered_json& settings) const {
  settings["teacher"] = hash_;
  settings["teacher_weight"] = options_.weight;
  settings["teacher_hidden"] = options_.hidden;
  settings["teacher_temperature"] = options_.temperature;
}

Tensor Teacher::states_loss(const Tensors& student, const Tensors& own, double tokens) const {
  if (!compares_states()) return {};
  const auto layers = static_cast<double>(student.size() - 1),
             own_layers = static_cast<double>(own.size() - 1);
  Tensor sum;
  for (size_t i = 0; i < student.size(); ++i) {
    const auto j = static_cast<size_t>(std::llround(static_cast<double>(i) * own_layers / layers));
    const Tensor mapped = map_ ? (*map_)(student[i]) : student[i];
    const Tensor term = mean_squared_error(mapped, own[j],
                                           tokens * static_cast<double>(body_.config.hidden_size) *
                                               static_cast<double>(student.size()));
    sum = sum.defined() ? sum + term : term;
  }
  return sum * options_.hidden;
}

MaskedLMTeacher::MaskedLMTeacher(const DistillationOptions& options, const Tokenizer& tokenizer,
                                 const BertConfig& student, uint64_t seed)
    : MaskedLMTeacher(options, tokenizer, student, seed, load_masked_lm(options.teacher)) {}

MaskedLMTeacher::MaskedLMTeacher(const DistillationOptions& options, const Tokenizer& tokenizer,
                                 const BertConfig& student, uint64_t seed, BertForMaskedLM model)
    : Teacher(options, model.bert, tokenizer, student, seed), model_(std::move(model)) {}

Tensor MaskedLMTeacher::loss(const BertForPreTraining& student, const BertInput& input,
                             const Tensors& hidden_states, const PretrainingTargets& targets,
                             double tokens, Means& means) const {
  Tensors own;
  Tensor probabilities;
  const double t = options_.temperature;
  {
    const Speaking scope;
    const Tensor output = model_.bert(input, &own);
    if (!targets.rows.empty())
      probabilities =
          softmax(model_.predictions.logits(output, model_.bert.embeddings.word_embeddings.weight,
                                            targets.rows) *
                  (1 / t));
  }
  Tensor total = states_loss(hidden_states, own, tokens);
  if (!targets.rows.empty() && options_.weight > 0) {
    const Tensor logits = student.predictions.logits(
        hidden_states.back(), student.bert.embeddings.word_embeddings.weight, targets.rows);
    const auto rows = static_cast<double>(targets.rows.size()),
               predicted = targets.masked_denominator > 0 ? targets.masked_denominator : rows;
    const Tensor divergence = kl_div(log_softmax(logits * (1 / t)), probabilities, predicted);
    means.add("teacher_divergence", divergence.item() * predicted, rows);
    const Tensor term = divergence * (options_.weight * t * t);
    total = total.defined() ? total + term : term;
  }
  return total;
}

TaskTeacher::TaskTeacher(const DistillationOptions& options, const Tokenizer& tokenizer,
                         const BertConfig& student, uint64_t seed)
    : TaskTeacher(options, tokenizer, student, seed, load_task(options.teacher, student)) {}

TaskTeacher::TaskTeacher(const DistillationOptions& options, const Tokenizer& tokenizer,
                         const BertConfig& student, uint64_t seed, BertForTask model)
    : Teacher(options, model.bert, tokenizer, student, seed), model_(std::move(model)) {}

Tensor TaskTeacher::loss(const Tensor& student_logits, const BertInput& input,
                         const Tensors& hidden_states, double rows, double tokens,
                         Means& means) const {
  Tensors own;
  Tensor logits;
  {
    const Speaking scope;
    logits = model_.logits(model_.bert(input, &own), input.sequences);
  }
  const auto width = static_cast<double>(logits.numel() / std::max<int64_t>(logits.size(0), 1));
  const Tensor difference = mean_squared_error(student_logits, logits, rows * width);
  means.add("teacher_difference", difference.item() * rows, static_cast<double>(logits.size(0)));
  Tensor total = difference * options_.weight;
  if (const Tensor states = states_loss(hidden_states, own, tokens); states.defined())
    total = total + states;
  return total;
}

}  // namespace gradus
