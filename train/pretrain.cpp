#include "gradus/train/pretrain.h"

#include <numeric>

#include "gradus/base/json.h"
#include "gradus/base/parallel.h"
#include "gradus/base/range.h"
#include "gradus/io/model_folder.h"
#include "gradus/kernels/gemm.h"
#include "gradus/kernels/kernels.h"
#include "gradus/models/counts_initialization.h"
#include "gradus/train/advice.h"
#include "gradus/train/checkpoint.h"
#include "gradus/train/measure.h"
#include "gradus/train/watched_masks.h"
#include "gradus/train/word_vectors.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

BertInitialization initialization_named(const std::string& name) {
  if (name == "hugging_face") return BertInitialization::hugging_face;
  if (name == "google") return BertInitialization::google;
  if (name == "mimetic") return BertInitialization::mimetic;
  fail("options.initialization {}: it is counts, hugging_face, google or mimetic", name);
}

BertConfig configuration(const PretrainOptions& o, const CorpusFile& corpus) {
  const auto read = [&] {
    if (o.init) return load_config(*o.init);
    if (o.model.ends_with(".json")) return BertConfig::from_json(read_file(o.model), o.model);
    return BertConfig::named(o.model, corpus.vocabulary().size());
  };
  BertConfig config = read();
  if (o.init) corpus.require_matches(load_tokenizer(*o.init), "the model " + o.init->string());
  if (config.vocab_size != corpus.vocabulary().size())
    fail(
        "{}: its vocabulary has {} tokens, the model's {}; build the corpus with the model's "
        "vocabulary, or change vocab_size",
        o.data.string(), corpus.vocabulary().size(), config.vocab_size);
  const auto require_positions = [&](const char* option, int64_t length) {
    check(length <= config.max_position_embeddings,
          "{} {} is more than the model's {} positions (max_position_embeddings)", option, length,
          config.max_position_embeddings);
  };
  require_positions("options.max_seq_length", o.max_seq_length);
  for (const Phase& phase : o.phases)
    require_positions("options.phases: a length of", phase.max_seq_length);
  if (o.dropout) config.hidden_dropout_prob = config.attention_probs_dropout_prob = *o.dropout;
  config.validate("the model's configuration");
  return config;
}

InstanceOptions held_out_instances(const PretrainOptions& o) {
  InstanceOptions options = o.instances;
  options.max_seq_length = static_cast<int>(o.max_seq_length);
  options.masked_lm_prob = o.eval_masked_lm_prob;
  return options;
}

CurriculumOptions curriculum(const PretrainOptions& o) {
  CurriculumOptions options{.instances = o.instances,
                            .batch_size = o.batch_size * o.gradient_accumulation_steps,
                            .phases = o.phases,
                            .final_masked_lm_prob = o.final_masked_lm_prob,
                            .seed = o.seed};
  options.instances.max_seq_length = static_cast<int>(o.max_seq_length);
  if (o.final_batch_size)
    options.final_batch_size = *o.final_batch_size * o.gradient_accumulation_steps;
  return options;
}

const PretrainOptions& checked(const PretrainOptions& o) {
  check_learning(o);
  check_count("options.gradient_accumulation_steps", o.gradient_accumulation_steps, 1);
  check_count("options.eval_instances", o.eval_instances, 0);
  check_distillation(o.distillation);
  check_range("options.eval_masked_lm_prob", o.eval_masked_lm_prob, {.above = 0, .below = 1});
  return o;
}

// Whether a checkpoint's values come over the initial ones.
bool goes_on(const PretrainOptions& o) {
  if (!o.resume && o.resume_from.empty()) return false;
  return find_checkpoint(o.resume_from.empty() ? o.out : o.resume_from, [](const auto&) {})
      .has_value();
}

class Pretraining : public Objective {
 public:
  explicit Pretraining(const PretrainOptions& options);
  PretrainResult run();
  Estimate estimate() const;

  Batch next(double progress) override;
  std::string state() const override;
  void restore(const std::string& state) override;
  double epoch() const override { return curriculum_->epoch(); }
  std::optional<Judgement> evaluate(const std::function<void()>& between_batches) override;
  void save(const std::filesystem::path& folder, const TrainResult&) override {
    save_model_folder(folder, model_.bert.config, list_, corpus_.tokenizer());
  }
  void save_beside(const std::filesystem::path& checkpoint) const override {
    save_folder_settings(checkpoint, model_.bert.config, corpus_.tokenizer());
  }

 private:
  void begin();
  std::vector<Parameter> learned() const;
  Schedule schedule() const;
  Json settings(const Schedule& schedule) const;
  std::string about(double sgemm) const;

  PretrainOptions o_;
  const PrecisionScope precision_{matmul_precision(o_)};
  CorpusFile corpus_;
  BertForPreTraining model_;
  std::optional<Curriculum> curriculum_;
  std::optional<InstanceSource> held_out_;
  std::vector<Parameter> list_;
  std::unique_ptr<MaskedLMTeacher> teacher_;  // none: nothing is distilled
  const bool goes_on_;
  std::string loaded_;
  std::optional<PretrainingMetrics> validation_;
  std::optional<WatchedMasks> watched_;
};

Pretraining::Pretraining(const PretrainOptions& o)
    : o_(checked(o)),
      corpus_(CorpusFile::open(o.data)),
      model_(configuration(o, corpus_)),
      list_(parameters(model_)),
      goes_on_(goes_on(o)) {
  const BertConfig& config = model_.bert.config;
  model_.last_layer_where_asked = o.last_layer_where_asked;
  if (config.modern) o_.instances.next_sentence = false;  // it has no head for that
  curriculum_.emplace(corpus_, curriculum(o_));
  if (!corpus_.documents(Split::validation).empty())
    held_out_.emplace(corpus_, Split::validation, held_out_instances(o_), o.seed + 1);
  begin();
  if (!o.distillation.teacher.empty())
    teacher_ =
        std::make_unique<MaskedLMTeacher>(o.distillation, corpus_.tokenizer(), config, o.seed);
  if (!o.watch_masks.empty())
    watched_.emplace(o.watch_masks, model_.masked_lm(), corpus_.tokenizer());
  // Without pairs the next-sentence head and the pooler have no loss: they stay as they are.
  if (!o_.instances.next_sentence && !config.modern)
    for (const char* pattern : {"bert.pooler.*", "cls.seq_relationship.*"}) freeze(list_, pattern);
}

// The initial values. Those that take counting are left out where others come over them.
void Pretraining::begin() {
  const BertConfig& config = model_.bert.config;
  const bool counts = o_.initialization == "counts";
  initialize_bert(list_, config, initialization_named(counts ? "hugging_face" : o_.initialization),
                  o_.seed);
  if (o_.init) {
    const LoadReport report = load_parameters(*o_.init, list_);
    loaded_ = report.to_text();
    // a head that the folder lacks begins with what is known of the words
    const std::string bias = config.modern ? "decoder.bias" : "cls.predictions.bias";
    if (std::find(report.fresh.begin(), report.fresh.end(), bias) != report.fresh.end()) {
      begin_output_bias(list_, config, log_frequencies(corpus_));
      loaded_ += "; the output bias begins as the words' log frequency";
    }
  } else if (counts && !goes_on_) {
    const WordVectors words = word_vectors(PositivePmi(corpus_), config.hidden_size, o_.seed);
    initialize_from_counts(list_, config, {words.vectors, words.log_frequency});
  }
}

// What the run learns: the model, and what stands between it and a teacher.
std::vector<Parameter> Pretraining::learned() const {
  std::vector<Parameter> all = list_;
  if (teacher_)
    for (const Parameter& p : teacher_->learned()) all.push_back(p);
  return all;
}

Batch Pretraining::next(double progress) {
  return training_batch(model_,
                        std::make_shared<const PretrainingBatch>(curriculum_->next(progress)),
                        o_.gradient_accumulation_steps * o_.data_parallel, teacher_.get());
}

std::string Pretraining::state() const {
  Json json{{"data", curriculum_->state()}};
  if (validation_) {
    const PretrainingMetrics& v = *validation_;
    json["validation"] = {v.masked_loss,   v.masked_accuracy, v.next_loss,
                          v.next_accuracy, v.predicted,       v.pairs};
  }
  return json.dump();
}

void Pretraining::restore(const std::string& state) {
  const Json json = parse_ordered_json(state);
  curriculum_->restore(json.at("data").get<std::string>());
  if (!json.contains("validation")) return;
  const Json& v = json.at("validation");
  const auto number = [&](size_t i) {  // null: there were none to take a mean of
    return v.at(i).is_null() ? std::numeric_limits<double>::quiet_NaN() : v.at(i).get<double>();
  };
  validation_ = {number(0), number(1), number(2), number(3), v.at(4), v.at(5)};
}

std::optional<Judgement> Pretraining::evaluate(const std::function<void()>& between_batches) {
  if (!held_out_) return {};
  const PretrainingMetrics m =
      gradus::evaluate(model_, *held_out_, o_.eval_instances, between_batches);
  validation_ = m;
  Judgement judgement;
  judgement.metrics = {
      {"masked_lm_loss", m.masked_loss},           {"perplexity", m.perplexity()},
      {"masked_lm_accuracy", m.masked_accuracy},   {"next_sentence_loss", m.next_loss},
      {"next_sentence_accuracy", m.next_accuracy}, {"predicted", static_cast<double>(m.predicted)},
      {"pairs", static_cast<double>(m.pairs)}};
  judgement.larger_is_better = false;
  judgement.text = fmt::format("held out: MLM loss {:.3f}  perplexity {:.1f}  MLM accuracy {:.3f}",
                               m.masked_loss, m.perplexity(), m.masked_accuracy);
  if (m.pairs)
    judgement.text += fmt::format("  NSP accuracy {:.3f} ({} pairs)", m.next_accuracy, m.pairs);
  if (watched_) judgement.examples = watched_->filled(model_.masked_lm(), corpus_.tokenizer());
  return judgement;
}

Json Pretraining::settings(const Schedule& schedule) const {
  const BertConfig& config = model_.bert.config;
  Json json;
  json["data"] = o_.data.string();
  json["data_checksum"] = fmt::format("{:016x}", corpus_.checksum());
  json["model"] = o_.init ? o_.init->string() : o_.model;
  json["max_seq_length"] = o_.max_seq_length;
  json["gradient_accumulation_steps"] = o_.gradient_accumulation_steps;
  add_settings(json, o_, schedule);
  json["initialization"] = o_.initialization;
  json["hidden_dropout_prob"] = config.hidden_dropout_prob;
  json["attention_probs_dropout_prob"] = config.attention_probs_dropout_prob;
  for (const Phase& phase : o_.phases)
    json["phases"].push_back({phase.max_seq_length, phase.share});
  if (o_.final_batch_size) json["final_batch_size"] = *o_.final_batch_size;
  json["masked_lm_prob"] = o_.instances.masked_lm_prob;
  if (o_.final_masked_lm_prob) json["final_masked_lm_prob"] = *o_.final_masked_lm_prob;
  json["eval_masked_lm_prob"] = o_.eval_masked_lm_prob;
  json["max_predictions_per_seq"] = o_.instances.max_predictions_per_seq;
  json["short_seq_prob"] = o_.instances.short_seq_prob;
  json["whole_word_mask"] = o_.instances.whole_word_mask;
  json["next_sentence"] = o_.instances.next_sentence;
  if (o_.last_layer_where_asked) json["last_layer_where_asked"] = true;
  if (teacher_) teacher_->add_settings(json);
  add_machine(json);
  return json;
}

std::string Pretraining::about(double sgemm) const {
  const BlasCore& core = prepare_blas();
  return fmt::format(
      "{}{}{} parameters; {} training instances, {:.1f} M tokens an epoch; {} held-out instances\n"
      "{} threads, kernels {}, OpenBLAS core {}{}, sgemm {:.0f} GFLOP/s{}",
      loaded_, loaded_.empty() ? "" : "\n", count_parameters(list_), curriculum_->first().size(0),
      static_cast<double>(curriculum_->first().tokens(0)) / 1e6, held_out_ ? held_out_->size(0) : 0,
      thread_count(), kernels<float>().level, core.core,
      core.right ? ""
                 : fmt::format(" (WRONG: {} wanted, expect a fraction of the speed)", core.wanted),
      sgemm, describe_precision(o_));
}

// By the clock how many steps are run is another matter: the schedule has this many.
constexpr double clock_steps = 10000;

bool by_clock(const PretrainOptions& o) { return o.max_minutes > 0 && o.max_steps == 0; }

int64_t eval_steps(const PretrainOptions& o, const Schedule& schedule) {
  return o.eval_steps > 0 ? o.eval_steps : std::max<int64_t>(1, schedule.total / 10);
}

Schedule Pretraining::schedule() const {
  return schedule_of(o_, by_clock(o_) ? clock_steps / o_.epochs : curriculum_->steps_an_epoch());
}

Estimate Pretraining::estimate() const {
  Plan plan{.schedule = schedule(),
            .max_minutes = o_.max_minutes,
            .by_clock = by_clock(o_),
            .gradient_accumulation_steps = o_.gradient_accumulation_steps,
            .data_parallel = o_.data_parallel,
            .eval_instances = o_.eval_instances,
            .optimizer = o_.optimizer,
            .settings = optimizer_settings(o_)};
  plan.evaluations = plan.schedule.total / eval_steps(o_, plan.schedule);
  return gradus::estimate(model_, corpus_, curriculum(o_), held_out_ ? &*held_out_ : nullptr, plan,
                          teacher_.get());
}

PretrainResult Pretraining::run() {
  // before the run's own optimizer has the parameters
  const std::string expected =
      o_.estimate_first && !goes_on_ ? "\n" + estimate().to_text() : std::string();
  const std::unique_ptr<Optimizer> optimizer =
      make_optimizer(o_.optimizer, learned(), optimizer_settings(o_));
  TrainOptions options = o_;
  options.schedule_by_clock = by_clock(o_);
  const Schedule schedule = this->schedule();
  options.eval_steps = eval_steps(o_, schedule);
  options.name = "pretrain";
  options.settings = settings(schedule).dump();
  options.harmless = machine_settings;
  options.harmless.emplace_back("data");
  if (held_out_)
    options.judged_on = {"data_checksum",       "seed",           "max_seq_length",
                         "eval_masked_lm_prob", "short_seq_prob", "max_predictions_per_seq",
                         "whole_word_mask",     "next_sentence"};
  options.begins_with_out = o_.init && is_same_folder(*o_.init, o_.out);
  if (!options.schedule_by_clock) options.harmless.emplace_back("max_minutes");
  options.sgemm_rate = measure_sgemm_rate(3);
  options.about = about(options.sgemm_rate);
  const CorpusStatistics numbers = statistics(corpus_);
  options.about = corpus_advice(numbers, corpus_.info()) + options.about;
  const auto advice = std::make_shared<LossAdvice>(LossAdvice::Run{
      numbers.unigram_entropy, o_.init ? o_.init->string() : o_.initialization, o_.learning_rate});
  options.before_update.emplace_back([advice](const BeforeUpdate& now) {
    if (const auto text = advice->at(now.step, now.means["masked_lm_loss"])) now.say(*text);
  });
  options.about += expected;
  if (teacher_) options.about += "\n" + teacher_->describe();
  const TrainResult result = train(learned(), *optimizer, schedule, *this, options);
  return {result, validation_};
}

}  // namespace

PretrainResult pretrain(const PretrainOptions& options) { return Pretraining(options).run(); }

Estimate estimate(PretrainOptions options) {
  options.initialization = "hugging_face";  // whichever it is, a step takes as long
  return Pretraining(options).estimate();
}

}  // namespace gradus
