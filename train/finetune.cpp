#include "gradus/train/finetune.h"

#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "gradus/base/range.h"
#include "gradus/nn/lora.h"
#include "gradus/train/adapter_folder.h"
#include "gradus/train/batches.h"
#include "gradus/train/finetuned_model.h"
#include "gradus/train/model_card.h"
#include "gradus/train/starting_weights.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

const FinetuneOptions& checked(const FinetuneOptions& o) {
  check_learning(o);
  check_count("options.max_tokens", o.max_tokens, 1);
  check_count("options.max_train_examples", o.max_train_examples, 0);
  check_count("options.reinit_layers", o.reinit_layers, 0);
  check_count("options.lora_rank", o.lora_rank, 0);
  check_range("options.lora_alpha", o.lora_alpha, {.above = 0});
  check(o.lora_rank == 0 || o.merge_lora || (!o.random_init && o.reinit_layers == 0),
        "options.lora_rank: adapters that are kept apart need the model of the folder as it is; "
        "options.random_init and options.reinit_layers change it (options.merge_lora keeps all)");
  check_distillation(o.distillation);
  check_range("options.layer_decay", o.layer_decay, {.above = 0, .at_most = 1});
  return o;
}

// Everything is read, checked and made in the constructor, which writes nothing.
class Finetuning : public Objective {
 public:
  explicit Finetuning(const FinetuneOptions& options);
  FinetuneResult run();

  Batch next(double progress) override;
  std::string state() const override;
  void restore(const std::string& state) override;
  double epoch() const override {
    return static_cast<double>(order_->epoch()) +
           static_cast<double>(order_->at()) / static_cast<double>(order_->size());
  }
  bool epoch_ended() const override { return order_->at_end_of_epoch(); }
  std::optional<Judgement> evaluate(const std::function<void()>& between_batches) override;
  void save(const std::filesystem::path& folder, const TrainResult& so_far) override;
  void save_beside(const std::filesystem::path& checkpoint) const override {
    save_folder_settings(checkpoint, model_.bert.config, tokenizer_);
  }
  std::shared_ptr<void> around() const override {
    return std::make_shared<LoraAdapters::Attached>(adapters_);
  }

 private:
  std::vector<Parameter> trained() const { return adapters_ ? adapters_->trained() : list_; }
  // That, and what stands between the student and a teacher.
  std::vector<Parameter> learned() const {
    std::vector<Parameter> all = trained();
    if (teacher_)
      for (const Parameter& p : teacher_->learned()) all.push_back(p);
    return all;
  }
  Json settings(const Schedule& schedule) const;

  FinetuneOptions o_;
  const PrecisionScope precision_{matmul_precision(o_)};
  BertConfig base_;  // what the model's folder says
  Tokenizer tokenizer_;
  std::unique_ptr<Task> task_;
  std::unique_ptr<TaskSet> train_, held_out_;  // held_out_: null without a validation file
  BertForTask model_;
  std::vector<Parameter> list_;
  std::string loaded_;
  std::optional<LoraAdapters> adapters_;
  std::unique_ptr<TaskTeacher> teacher_;  // none: nothing is distilled
  std::optional<UnitOrder> order_;
  Json settings_;
  std::vector<UnitLogits> logits_;  // of held_out_, when it was judged last
  Evaluation judged_, best_;
};

Finetuning::Finetuning(const FinetuneOptions& o)
    : o_(checked(o)),
      base_(load_config(o.model)),
      tokenizer_(load_tokenizer(o.model)),
      task_(Task::make(o.task, tokenizer_, base_)),
      train_(task_->read(o.train, TaskUse::training)),
      held_out_(o.validation.empty() ? nullptr : task_->read(o.validation, TaskUse::validation)),
      model_(task_->kind().head, configuration(base_, o, *task_)),
      list_(parameters(model_)) {
  loaded_ = load_weights(o, base_, model_.bert.config, list_);
  for (const std::string& pattern : o.freeze) freeze(list_, pattern);
  if (o.lora_rank > 0)
    adapters_.emplace(
        model_,
        LoraOptions{o.lora_rank, o.lora_alpha, lora_targets(o, base_), trained_beside_adapters},
        o.seed);
  if (!o.distillation.teacher.empty())
    teacher_ =
        std::make_unique<TaskTeacher>(o.distillation, tokenizer_, model_.bert.config, o.seed);
  const int64_t examples =
      o.max_train_examples > 0 ? std::min(o.max_train_examples, train_->size()) : train_->size();
  order_.emplace(train_->size(), examples, o.shuffle, o.seed);
}

Batch Finetuning::next(double /*progress*/) {
  const auto whole =
      std::make_shared<const TaskBatch>(*train_, order_->next(o_.batch_size), o_.max_tokens);
  Batch batch;
  if (whole->weight == 0) return batch;  // windows without a labelled word
  int64_t sequences = 0;
  for (const BatchPart& part : whole->parts) {
    batch.tokens += part.tokens.size();
    sequences += std::ssize(part.tokens.lengths);
  }
  const auto tokens = static_cast<double>(batch.tokens),
             rows = model_.by_token() ? tokens : static_cast<double>(sequences);
  for (const BatchPart& part : whole->parts)
    batch.parts.push_back([this, whole, &part, tokens, rows](Means& means) {
      const BertInput input(model_.bert.config, part.tokens, part.first);
      Tensors hidden_states;
      const Tensor output = model_.bert(input, teacher_ ? &hidden_states : nullptr),
                   logits = model_.logits(output, input.sequences),
                   loss = part.targets.loss(logits, input.sequences, whole->weight);
      if (!teacher_) return loss;
      return loss + teacher_->loss(logits, input, hidden_states, rows, tokens, means);
    });
  batch.describe = [whole] {
    Json json = Json::array();
    for (const BatchPart& part : whole->parts) {
      auto ids = part.tokens.ids.begin(), types = part.tokens.types.begin();
      for (size_t s = 0; s < part.units.size(); ++s) {
        const int64_t length = part.tokens.lengths[s];
        json.push_back({{"unit", part.units[s]},
                        {"ids", std::vector(ids, ids + length)},
                        {"types", std::vector(types, types + length)}});
        ids += length, types += length;
      }
    }
    return json.dump(1) + "\n";
  };
  return batch;
}

std::string Finetuning::state() const {
  Json json{{"epoch", order_->epoch()}, {"at", order_->at()}};
  if (!best_.metrics.empty())
    json["best"] = {{"metrics", best_.metrics},
                    {"larger_is_better", best_.larger_is_better},
                    {"constant", best_.constant},
                    {"tables", best_.tables}};
  return json.dump();
}

void Finetuning::restore(const std::string& state) {
  const Json json = parse_ordered_json(state);
  order_->go_to(count_of(json, "epoch"), count_of(json, "at"));
  if (!json.contains("best")) return;
  const Json& best = json.at("best");
  best_ = {best.at("metrics").get<Metrics>(), best.at("larger_is_better"), best.at("constant"),
           best.at("tables")};
}

std::optional<Judgement> Finetuning::evaluate(const std::function<void()>& between_batches) {
  if (!held_out_) return {};
  {
    const LoraAdapters::Attached attached(adapters_);
    logits_ = run_task(model_, *held_out_, o_.max_tokens, between_batches);
  }
  judged_ = held_out_->evaluate(logits_);
  // what models are chosen by, and the loss
  const Metrics shown{judged_.metrics.front(), judged_.metrics.back()};
  return Judgement{judged_.metrics, "validation: " + as_text(shown), judged_.metrics.front().second,
                   judged_.larger_is_better};
}

void Finetuning::save(const std::filesystem::path& folder, const TrainResult& so_far) {
  const BertConfig& config = model_.bert.config;
  if (adapters_ && !o_.merge_lora) save_adapters(folder, *adapters_, o_.model, config, tokenizer_);
  else save_model_folder(folder, config, adapters_ ? adapters_->merged() : list_, tokenizer_);
  write_file(folder / "README.md",
             model_card(task_->kind(), o_.model.string(), config, so_far.metrics, settings_));
  if (!held_out_ || logits_.empty()) return;
  held_out_->write_files(logits_, folder);
  best_ = judged_;
}

FinetuneResult Finetuning::run() {
  const std::unique_ptr<Optimizer> optimizer =
      make_optimizer(o_.optimizer, learned(), optimizer_settings(o_));
  if (o_.layer_decay != 1) set_layer_rates(o_, model_.bert.config, *optimizer);
  const int64_t an_epoch = (order_->size() + o_.batch_size - 1) / o_.batch_size;
  const Schedule schedule = schedule_of(o_, static_cast<double>(an_epoch));
  settings_ = settings(schedule);
  TrainOptions options = o_;
  options.name = "finetune";
  options.settings = settings_.dump();
  options.harmless = {"model", "train_file", "validation_file", "max_minutes"};  // by their hashes
  if (held_out_) options.judged_on = {"task", "validation_hash"};
  options.begins_with_out =
      has_same_head(base_, model_.bert.config) && is_same_folder(o_.model, o_.out);
  options.about =
      fmt::format("{}{}{}{}\n{} of {} parameters are trained; {} of {} examples, {} steps of {}{}",
                  task_->describe(*train_, held_out_.get()), train_->notes(),
                  held_out_ ? held_out_->notes() : "", loaded_, count_trained(trained()),
                  count_parameters(list_), order_->size(), train_->size(), schedule.total,
                  o_.batch_size, describe_precision(o_));
  if (teacher_) options.about += "\n" + teacher_->describe();
  const TrainResult result = train(learned(), *optimizer, schedule, *this, options);
  return {result, best_};
}

Json Finetuning::settings(const Schedule& schedule) const {
  const auto hash = [](const std::filesystem::path& file) {
    return file.empty() ? "" : fmt::format("{:016x}", hash_bytes(MappedFile(file).view()));
  };
  const TaskOptions& task = o_.task;
  Json json{{"task", task.kind},
            {"model", o_.model.string()},
            {"train_file", o_.train.string()},
            {"validation_file", o_.validation.string()},
            {"train_hash", hash(o_.train)},
            {"validation_hash", hash(o_.validation)},
            {"weights_hash", hash_of(list_)},
            {"max_seq_length", sequence_length(task, model_.bert.config)},
            {"max_train_examples", o_.max_train_examples},
            {"max_tokens", o_.max_tokens}};
  add_settings(json, o_, schedule);
  const Json further{{"layer_decay", o_.layer_decay},
                     {"freeze", o_.freeze},
                     {"reinit_layers", o_.reinit_layers},
                     {"random_init", o_.random_init},
                     {"lora_rank", o_.lora_rank},
                     {"lora_alpha", o_.lora_alpha},
                     {"lora_targets", lora_targets(o_, base_)},
                     {"merge_lora", o_.merge_lora},
                     {"shuffle", o_.shuffle},
                     {"hidden_dropout_prob", model_.bert.config.hidden_dropout_prob}};
  json.update(further);
  add_settings(json, task);
  if (teacher_) teacher_->add_settings(json);
  return json;
}

}  // namespace

FinetuneResult finetune(const FinetuneOptions& options) { return Finetuning(options).run(); }

}  // namespace gradus
