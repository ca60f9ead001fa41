#include "gradus/train/finetune.h"

#include <algorithm>
#include <cmath>

#include "gradus/autograd/observer.h"
#include "gradus/base/json.h"
#include "gradus/nn/audit.h"
#include "gradus/nn/lora.h"
#include "gradus/train/adapter_folder.h"
#include "gradus/train/batches.h"
#include "gradus/train/learning_ranges.h"
#include "gradus/train/model_card.h"
#include "gradus/train/progress.h"
#include "gradus/train/run_log.h"
#include "gradus/train/stop_signals.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

BertConfig configuration(BertConfig config, const FinetuneOptions& o, const Task& task) {
  if (o.dropout)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = config.classifier_dropout =
        *o.dropout;
  task.configure(config);
  config.validate("the model's configuration");
  return config;
}

int64_t count_trained(const std::vector<Parameter>& list) {
  int64_t count = 0;
  for (const Parameter& p : list)
    if (!p.tied && !p.buffer && !p.leaf.is_frozen()) count += p.numel();
  return count;
}

bool of_head(const std::string& name) { return !name.starts_with("bert."); }

// Weights for the run: random, then the folder's. A head comes along only where it answers the same
// labels; otherwise it begins anew.
std::string load_weights(const FinetuneOptions& o, const BertConfig& before,
                         const BertConfig& config, const std::vector<Parameter>& list) {
  initialize_bert(list, config, BertInitialization::hugging_face, o.seed);
  if (o.random_init) return "all parameters begin at random";
  const bool same_head =
      before.architectures == config.architectures && before.id2label == config.id2label;
  std::vector<Parameter> wanted;
  for (const Parameter& p : list)
    if (same_head || !of_head(p.name)) wanted.push_back(p);
  std::string report = load_parameters(o.model, wanted).to_text();
  if (!same_head) report += "; the head is new";
  if (o.reinit_layers > 0) {
    if (o.reinit_layers > config.num_hidden_layers)
      fail("options.reinit_layers {}: the model has {}", o.reinit_layers, config.num_hidden_layers);
    std::vector<Parameter> anew;
    for (int64_t layer = config.num_hidden_layers - o.reinit_layers;
         layer < config.num_hidden_layers; ++layer)
      for (const Parameter& p : list)
        if (p.name.starts_with(fmt::format("bert.encoder.layer.{}.", layer))) anew.push_back(p);
    for (const Parameter& p : list)
      if (p.name.starts_with("bert.pooler.")) anew.push_back(p);
    initialize_bert(anew, config, BertInitialization::hugging_face, o.seed);
    report += fmt::format("; the top {} layers and the pooler begin anew", o.reinit_layers);
  }
  return report;
}

void set_layer_rates(const FinetuneOptions& o, const BertConfig& config, Optimizer& optimizer) {
  const auto rate = [&](int64_t below_the_top) {
    return std::pow(o.layer_decay, static_cast<double>(below_the_top));
  };
  optimizer.arena().set_rate("bert.embeddings.*", rate(config.num_hidden_layers + 1));
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer)
    optimizer.arena().set_rate(fmt::format("bert.encoder.layer.{}.*", layer),
                               rate(config.num_hidden_layers - layer));
}

Json resolved(const FinetuneOptions& o, const BertConfig& config, const Schedule& schedule) {
  return {{"task", o.task.kind},
          {"glue_task", o.task.glue},
          {"model", o.model.string()},
          {"train_file", o.train.string()},
          {"validation_file", o.validation.string()},
          {"max_seq_length", sequence_length(o.task, config)},
          {"batch_size", o.batch_size},
          {"max_steps", schedule.total},
          {"epochs", o.epochs},
          {"learning_rate", o.learning_rate},
          {"lr_scheduler_type", o.schedule},
          {"warmup_steps", schedule.warmup},
          {"weight_decay", o.weight_decay},
          {"max_grad_norm", o.max_grad_norm},
          {"optimizer", o.optimizer},
          {"layer_decay", o.layer_decay},
          {"freeze", o.freeze},
          {"reinit_layers", o.reinit_layers},
          {"random_init", o.random_init},
          {"lora_rank", o.lora_rank},
          {"lora_alpha", o.lora_alpha},
          {"lora_targets", o.lora_targets},
          {"hidden_dropout_prob", config.hidden_dropout_prob},
          {"doc_stride", o.task.doc_stride},
          {"stride_meaning", o.task.stride_meaning},
          {"class_weights", o.task.class_weights},
          {"label_smoothing", o.task.label_smoothing},
          {"focal_gamma", o.task.focal_gamma},
          {"long", o.task.long_texts},
          {"seed", o.seed}};
}

}  // namespace

Json as_json(const Metrics& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics) json["eval_" + name] = value;
  return json;
}

std::string as_text(const Metrics& metrics) {
  std::string text;
  for (const auto& [name, value] : metrics)
    text += fmt::format("{}{} {:.4g}", text.empty() ? "" : "  ", name, value);
  return text;
}

FinetunedModel::FinetunedModel(const std::filesystem::path& folder, bool untrained_head)
    : config(load_config(folder)),
      tokenizer(load_tokenizer(folder)),
      task(task_of(config, folder.string())),
      model(*head_named(config.architectures[0]), config) {
  if (is_adapter_folder(folder)) {
    load_adapters(folder, model);
    return;
  }
  const auto list = parameters(model);
  initialize_bert(list, config, BertInitialization::hugging_face, 0);
  const LoadReport report = load_parameters(folder, list);
  if (!untrained_head) report.require_trained("head of " + config.architectures[0]);
}

namespace {

// A run: everything is read, checked and made in the constructor, which writes nothing.
class Run {
 public:
  explicit Run(const FinetuneOptions& options);
  FinetuneResult go();

 private:
  void step();
  void log(bool last);
  void judge();
  void save();
  void say(const std::string& text);
  std::vector<Parameter> trained() const { return adapters_ ? adapters_->trained() : list_; }
  double epoch() const {
    return static_cast<double>(result_.steps) / static_cast<double>(per_epoch_);
  }

  const FinetuneOptions& o_;
  BertConfig base_;  // what the model's folder says
  Tokenizer tokenizer_;
  std::unique_ptr<Task> task_;
  std::unique_ptr<TaskSet> train_, held_out_;  // held_out_: null without a validation file
  BertForTask model_;
  std::vector<Parameter> list_;
  std::string loaded_;
  std::optional<LoraAdapters> adapters_;
  std::unique_ptr<Optimizer> optimizer_;
  int64_t examples_ = 0, per_epoch_ = 0;
  Schedule schedule_;
  std::optional<UnitOrder> order_;

  std::optional<RunLog> log_;
  std::optional<Progress> progress_;
  FinetuneResult result_;
  int64_t worse_ = 0;  // evaluations since the best one
  struct {
    double loss = 0, norm = 0, seconds = 0;
    int64_t steps = 0, tokens = 0;
  } interval_;  // since the last line of the log
};

// In the member initialisers, so before any file is read.
const FinetuneOptions& checked(const FinetuneOptions& o) {
  check_learning_ranges(o);
  check_count("options.max_tokens", o.max_tokens, 1);
  check_count("options.max_train_examples", o.max_train_examples, 0);
  check_count("options.patience", o.patience, 0);
  check_count("options.reinit_layers", o.reinit_layers, 0);
  check_count("options.lora_rank", o.lora_rank, 0);
  check_range("options.lora_alpha", o.lora_alpha, {.above = 0});
  check_range("options.layer_decay", o.layer_decay, {.above = 0, .at_most = 1});
  check_range("options.label_smoothing", o.task.label_smoothing, {.at_least = 0, .below = 1});
  check_range("options.focal_gamma", o.task.focal_gamma, {.at_least = 0});
  return o;
}

Run::Run(const FinetuneOptions& o)
    : o_(checked(o)),
      base_(load_config(o.model)),
      tokenizer_(load_tokenizer(o.model)),
      task_(Task::make(o.task, tokenizer_, base_)),
      train_(task_->read(o.train, TaskUse::training)),
      held_out_(o.validation.empty() ? nullptr : task_->read(o.validation, TaskUse::validation)),
      model_(task_->head(), configuration(base_, o, *task_)),
      list_(parameters(model_)),
      schedule_{Schedule::shape_named(o.schedule), o.learning_rate, 0, 1} {
  check_optimizer_name(o.optimizer);
  loaded_ = load_weights(o, base_, model_.bert.config, list_);
  for (const std::string& pattern : o.freeze) freeze(list_, pattern);
  if (o.lora_rank > 0)
    adapters_.emplace(
        model_, LoraOptions{o.lora_rank, o.lora_alpha, o.lora_targets, trained_beside_adapters},
        o.seed);
  optimizer_ = make_optimizer(o.optimizer, trained(), {o.learning_rate, o.weight_decay});
  if (o.layer_decay != 1) set_layer_rates(o, model_.bert.config, *optimizer_);
  examples_ =
      o.max_train_examples > 0 ? std::min(o.max_train_examples, train_->size()) : train_->size();
  per_epoch_ = (examples_ + o.batch_size - 1) / o.batch_size;
  schedule_.total =
      o.max_steps > 0
          ? o.max_steps
          : std::max<int64_t>(1, std::llround(o.epochs * static_cast<double>(per_epoch_)));
  schedule_.warmup = o.warmup < 1 ? std::llround(o.warmup * static_cast<double>(schedule_.total))
                                  : std::llround(o.warmup);
  order_.emplace(train_->size(), examples_, o.shuffle, o.seed);
}

void Run::say(const std::string& text) {
  for (size_t begin = 0; !o_.quiet && begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    progress_->line(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

void Run::save() {
  const BertConfig& config = model_.bert.config;
  if (adapters_ && !o_.merge_lora) save_adapters(o_.out, *adapters_, o_.model, config, tokenizer_);
  else save_model_folder(o_.out, config, adapters_ ? adapters_->merged() : list_, tokenizer_);
  write_file(o_.out / "README.md",
             model_card(o_.task.kind, o_.model.string(), config, result_.evaluation.metrics,
                        resolved(o_, config, schedule_)));
}

// On the validation file; the best model so far is saved.
void Run::judge() {
  const double start = seconds_now();
  std::vector<UnitLogits> logits;
  {
    const LoraAdapters::Attached attached(adapters_);
    logits = run_task(model_, *held_out_, o_.max_tokens);
  }
  const Evaluation evaluation = held_out_->evaluate(logits);
  result_.eval_seconds += seconds_now() - start;
  Json line = as_json(evaluation.metrics);
  line["step"] = result_.steps;
  line["epoch"] = epoch();
  log_->write(line);
  const double value = evaluation.metrics.front().second;
  const bool better =
      result_.evaluation.metrics.empty() ||
      (evaluation.larger_is_better ? value > result_.score() : value < result_.score());
  // what models are chosen by, and the loss
  const Metrics shown{evaluation.metrics.front(), evaluation.metrics.back()};
  say(fmt::format("step {:>6}  validation: {}{}", result_.steps, as_text(shown),
                  better ? "  (best so far)" : ""));
  worse_ = better ? 0 : worse_ + 1;
  if (better) {
    result_.evaluation = evaluation;
    result_.best_step = result_.steps;
    write_file(o_.out / "eval_results.json", line.dump(2) + "\n");
    held_out_->write_files(logits, o_.out);
    save();
  }
}

void Run::step() {
  const double start = seconds_now();
  const auto units = order_->next(o_.batch_size);
  optimizer_->set_learning_rate(schedule_.at(result_.steps));
  double denominator = 0, loss = 0;
  for (const int64_t unit : units) denominator += train_->weight(unit);
  if (denominator > 0) {  // 0: windows without a labelled word, nothing to learn from
    const Training training;
    const FirstOrderOnly first_order;
    Tensors reached;
    for (const BatchPart& part : parts_of(*train_, units, o_.max_tokens)) {
      const LoraAdapters::Attached attached(adapters_);
      const RandomScope random(o_.seed, static_cast<uint64_t>(result_.steps));
      const BertInput input(model_.bert.config, part.tokens, part.first);
      const Tensor value = train_->loss(model_(input), input.sequences, part.units, denominator);
      loss += value.item();
      const Tensors now = backward(value).reached;
      reached.insert(reached.end(), now.begin(), now.end());
      interval_.tokens += part.tokens.size();
      result_.tokens += part.tokens.size();
    }
    if (result_.steps == 0) audit(trained(), reached);
    optimizer_->require_finite(loss);
    interval_.norm += optimizer_->step(o_.max_grad_norm);
  }
  ++result_.steps;
  ++interval_.steps;
  interval_.loss += loss;
  const double seconds = seconds_now() - start;
  interval_.seconds += seconds;
  result_.seconds += seconds;
}

void Run::log(bool last) {
  const auto steps = static_cast<double>(interval_.steps);
  const double loss = interval_.loss / steps,
               rate = static_cast<double>(interval_.tokens) / interval_.seconds;
  if (!o_.quiet)
    progress_->at(static_cast<double>(result_.steps),
                  fmt::format("loss {:.4f}  lr {:.2e}  {:.0f} tokens/s", loss,
                              optimizer_->learning_rate(), rate));
  if (result_.steps % o_.logging_steps != 0 && !last) return;
  Json line{{"step", result_.steps},
            {"epoch", epoch()},
            {"loss", loss},
            {"learning_rate", optimizer_->learning_rate()},
            {"grad_norm", interval_.norm / steps},
            {"tokens_per_second", rate}};
  log_->write(line);
  result_.train_loss = loss;
  interval_ = {};
}

FinetuneResult Run::go() {
  // nothing is made before everything that was asked for is found to be right
  make_output_folder(o_.out, o_.overwrite);
  write_file(o_.out / "run.json", resolved(o_, model_.bert.config, schedule_).dump(2) + "\n");
  log_.emplace(o_.out);
  progress_.emplace("finetune", static_cast<double>(schedule_.total), "steps");
  say(task_->describe(*train_, held_out_.get()));
  say(train_->notes() + (held_out_ ? held_out_->notes() : ""));
  say(loaded_);
  say(fmt::format("{} of {} parameters are trained; {} of {} examples, {} steps of {}",
                  count_trained(trained()), count_parameters(list_), examples_, train_->size(),
                  schedule_.total, o_.batch_size));

  const StopSignals signals;
  for (bool done = false; !done;) {
    step();
    done = result_.steps >= schedule_.total || signals.asked();
    log(done);
    const bool due =
        o_.eval_steps > 0 ? result_.steps % o_.eval_steps == 0 : order_->at_end_of_epoch();
    if (held_out_ && (done || due) && !signals.asked()) judge();
    if (!done && o_.patience > 0 && worse_ >= o_.patience) {
      done = true;
      say(fmt::format("stopped after step {}: no better model in {} evaluations", result_.steps,
                      worse_));
    }
  }
  if (!o_.quiet)
    progress_->finish(static_cast<double>(result_.steps),
                      fmt::format("loss {:.4f}", result_.train_loss));
  result_.stopped_by = signals.asked();
  if (result_.best_step == 0) save();  // nothing was judged: the last
  const Json state{{"global_step", result_.steps},
                   {"max_steps", schedule_.total},
                   {"num_input_tokens_seen", result_.tokens},
                   {"best_metric", result_.best_step ? Json(result_.score()) : Json()},
                   {"best_global_step", result_.best_step},
                   {"train_runtime", result_.seconds},  // seconds
                   {"eval_runtime", result_.eval_seconds},
                   {"log_history", log_->history()}};
  write_file(o_.out / "trainer_state.json", state.dump(2) + "\n");
  return result_;
}

}  // namespace

FinetuneResult finetune(const FinetuneOptions& options) { return Run(options).go(); }

}  // namespace gradus
