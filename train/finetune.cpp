#include "train/finetune.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "autograd/observer.h"
#include "io/json_lines.h"
#include "nn/audit.h"
#include "nn/lora.h"
#include "train/adapter_folder.h"
#include "train/batches.h"
#include "train/model_card.h"
#include "train/progress.h"
#include "train/stop_signals.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

BertConfig configuration(const FinetuneOptions& o, const Task& task) {
  BertConfig config = load_config(o.model);
  if (o.dropout) config.hidden_dropout_prob = config.attention_probs_dropout_prob = config.classifier_dropout = *o.dropout;
  task.configure(config);
  config.validate("the model's configuration");
  return config;
}

int64_t count_trained(const std::vector<Parameter>& list) {
  int64_t count = 0;
  for (const Parameter& p : list)
    if (!p.tied && p.leaf.is_leaf()) count += p.numel();
  return count;
}

bool of_head(const std::string& name) { return !name.starts_with("bert."); }

// Weights for the run: random, then the folder's. A head comes along only where it answers the same labels; otherwise it begins anew.
std::string load_weights(const FinetuneOptions& o, const BertConfig& config, const std::vector<Parameter>& list) {
  initialize_bert(list, config, BertInitialization::hugging_face, o.seed);
  if (o.random_init) return "all parameters begin at random (--random-init)";
  const BertConfig before = load_config(o.model);
  const bool same_head = before.architectures == config.architectures && before.id2label == config.id2label;
  std::vector<Parameter> wanted;
  for (const Parameter& p : list)
    if (same_head || !of_head(p.name)) wanted.push_back(p);
  std::string report = load_parameters(o.model, wanted).to_text();
  if (!same_head) report += "; the head is new";
  if (o.reinit_layers > 0) {
    if (o.reinit_layers > config.num_hidden_layers) fail("--reinit-layers {}: the model has {}", o.reinit_layers, config.num_hidden_layers);
    std::vector<Parameter> anew;
    for (int64_t layer = config.num_hidden_layers - o.reinit_layers; layer < config.num_hidden_layers; ++layer)
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
  if (!(o.layer_decay > 0 && o.layer_decay <= 1)) fail("--layer-decay {}: it must be above 0 and at most 1", o.layer_decay);
  const auto rate = [&](int64_t below_the_top) { return std::pow(o.layer_decay, static_cast<double>(below_the_top)); };
  optimizer.arena().set_rate("bert.embeddings.*", rate(config.num_hidden_layers + 1));
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer)
    optimizer.arena().set_rate(fmt::format("bert.encoder.layer.{}.*", layer), rate(config.num_hidden_layers - layer));
}

Json resolved(const FinetuneOptions& o, int64_t steps, int64_t warmup) {
  return {{"task", o.task.kind},         {"glue_task", o.task.glue},       {"model", o.model.string()},   {"train_file", o.train.string()},
          {"validation_file", o.validation.string()},                       {"max_seq_length", o.task.max_seq_length},
          {"batch_size", o.batch_size},  {"max_steps", steps},             {"epochs", o.epochs},          {"learning_rate", o.learning_rate},
          {"lr_scheduler_type", o.schedule},                                {"warmup_steps", warmup},      {"weight_decay", o.weight_decay},
          {"max_grad_norm", o.max_grad_norm},                               {"optimizer", o.optimizer},    {"layer_decay", o.layer_decay},
          {"freeze", o.freeze},          {"reinit_layers", o.reinit_layers}, {"random_init", o.random_init}, {"lora_rank", o.lora_rank},
          {"class_weights", o.task.class_weights},                          {"label_smoothing", o.task.label_smoothing},
          {"focal_gamma", o.task.focal_gamma},                              {"long", o.task.long_texts},   {"seed", o.seed}};
}

}  // namespace

Json as_json(const Metrics& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics) json[name] = value;
  return json;
}

std::string as_text(const Metrics& metrics) {
  std::string text;
  for (const auto& [name, value] : metrics) text += fmt::format("{}{} {:.4g}", text.empty() ? "" : "  ", name, value);
  return text;
}

FinetunedModel::FinetunedModel(const std::filesystem::path& folder, bool untrained_head)
    : config(load_config(folder)), tokenizer(load_tokenizer(folder)), task(task_of(config, folder.string())), model(*head_named(config.architectures[0]), config) {
  if (is_adapter_folder(folder)) {
    load_adapters(folder, model);
    return;
  }
  const auto list = parameters(model);
  initialize_bert(list, config, BertInitialization::hugging_face, 0);
  const LoadReport report = load_parameters(folder, list);
  if (!untrained_head) report.require_trained("head of " + config.architectures[0]);
}

FinetuneResult finetune(const FinetuneOptions& o) {
  check(o.batch_size > 0 && o.max_tokens > 0, "--batch-size and --max-tokens must be at least 1");
  const Tokenizer tokenizer = load_tokenizer(o.model);
  const std::unique_ptr<Task> task = Task::make(o.task, tokenizer, load_config(o.model));
  const std::unique_ptr<TaskSet> train = task->read(o.train, TaskUse::training);
  const std::unique_ptr<TaskSet> held_out = o.validation.empty() ? nullptr : task->read(o.validation, TaskUse::validation);
  check_optimizer_name(o.optimizer);
  Schedule schedule{Schedule::shape_named(o.schedule), o.learning_rate, 0, 1};
  BertForTask model(task->head(), configuration(o, *task));
  BertConfig& config = model.bert.config;
  std::vector<Parameter> list = parameters(model);
  const std::string loaded = load_weights(o, config, list);
  for (const std::string& pattern : o.freeze)
    if (freeze(list, pattern) == 0) fail("--freeze {}: no parameter has such a name; `gradus inspect params` lists them", pattern);
  std::optional<LoraAdapters> adapters;
  if (o.lora_rank > 0) adapters.emplace(model, LoraOptions{o.lora_rank, o.lora_alpha, o.lora_targets, {"classifier*", "qa_outputs*", "bert.pooler*"}}, o.seed);
  make_output_folder(o.out, o.overwrite);

  const std::unique_ptr<Optimizer> optimizer = make_optimizer(o.optimizer, adapters ? adapters->trained() : list, o.learning_rate, o.weight_decay);
  if (o.layer_decay != 1) set_layer_rates(o, config, *optimizer);
  const int64_t examples = o.max_train_examples > 0 ? std::min(o.max_train_examples, train->size()) : train->size();
  const int64_t per_epoch = (examples + o.batch_size - 1) / o.batch_size;
  const int64_t total = o.max_steps > 0 ? o.max_steps : std::max<int64_t>(1, std::llround(o.epochs * static_cast<double>(per_epoch)));
  schedule.total = total;
  schedule.warmup = o.warmup < 1 ? std::llround(o.warmup * static_cast<double>(total)) : std::llround(o.warmup);
  UnitOrder order(train->size(), examples, o.shuffle, o.seed);

  write_file(o.out / "run.json", resolved(o, total, schedule.warmup).dump(2) + "\n");
  JsonLines metrics(o.out / "metrics.jsonl");
  Progress progress("finetune", static_cast<double>(total), "steps");
  const auto say = [&](const std::string& text) {
    for (size_t begin = 0; !o.quiet && begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      progress.line(text.substr(begin, end - begin));
      begin = end + 1;
    }
  };
  say(task->describe(*train, held_out.get()));
  say(train->notes() + (held_out ? held_out->notes() : ""));
  say(loaded);
  say(fmt::format("{} of {} parameters are trained; {} of {} examples, {} steps of {}", count_trained(adapters ? adapters->trained() : list), count_parameters(list), examples,
                  train->size(), total, o.batch_size));

  FinetuneResult result;
  Json history = Json::array();
  int64_t worse = 0;   // evaluations since the best one
  const auto save = [&] {
    if (adapters && !o.merge_lora) save_adapters(o.out, *adapters, o.model, config, tokenizer);
    else save_model_folder(o.out, config, adapters ? adapters->merged() : list, tokenizer);
    write_file(o.out / "README.md", model_card(o.task.kind, o.model.string(), config, result.evaluation.metrics, resolved(o, total, schedule.warmup)));
  };
  const auto judge = [&] {
    const double start = seconds_now();
    const LoraAdapters::Attached attached(adapters);
    const std::vector<UnitLogits> logits = run_task(model, *held_out, o.max_tokens);
    const Evaluation evaluation = held_out->evaluate(logits);
    Json line = as_json(evaluation.metrics);
    line["step"] = result.steps;
    line["epoch"] = static_cast<double>(result.steps) / static_cast<double>(per_epoch);
    metrics.write(line);
    history.push_back(line);
    const double value = evaluation.metrics.front().second, best = result.score();
    const Metrics shown{evaluation.metrics.front(), evaluation.metrics.back()};   // what models are chosen by, and the loss
    const bool better = result.evaluation.metrics.empty() || (evaluation.larger_is_better ? value > best : value < best);
    say(fmt::format("step {:>6}  validation: {}{}", result.steps, as_text(shown), better ? "  (best so far)" : ""));
    worse = better ? 0 : worse + 1;
    if (better) {
      result.evaluation = evaluation;
      result.best_step = result.steps;
      write_file(o.out / "eval_results.json", line.dump(2) + "\n");
      held_out->write_files(logits, o.out);
      save();
    }
    result.eval_seconds += seconds_now() - start;
  };

  StopSignals signals;
  double losses = 0, norms = 0, interval_seconds = 0;
  int64_t interval = 0, interval_tokens = 0;
  bool done = false;
  while (!done) {
    const double start = seconds_now();
    const auto units = order.next(o.batch_size);
    optimizer->set_learning_rate(schedule.at(result.steps));
    double denominator = 0, loss = 0;
    for (const int64_t unit : units) denominator += train->weight(unit);
    if (denominator > 0) {
      const Training training;
      const FirstOrderOnly first_order;
      Tensors reached;
      for (const BatchPart& part : parts_of(*train, units, o.max_tokens)) {
        const LoraAdapters::Attached attached(adapters);
        const RandomScope random(o.seed, static_cast<uint64_t>(result.steps));
        const BertInput input(config, part.ids, part.types, part.lengths, part.first);
        const Tensor value = train->loss(model(input), input.sequences, part.units, denominator);
        loss += value.item();
        reached = backward(value).reached;
        result.tokens += part.tokens();
        interval_tokens += part.tokens();
      }
      if (result.steps == 0) audit(adapters ? adapters->trained() : list, reached, {"bert.embeddings.token_type_embeddings*"});
      if (!std::isfinite(loss)) fail_run("the loss is not finite at step {}: nothing was updated; is the learning rate ({}) too high?", result.steps + 1, optimizer->learning_rate());
      norms += optimizer->step(o.max_grad_norm);
    }
    ++result.steps;
    losses += loss;
    ++interval;
    interval_seconds += seconds_now() - start;
    result.seconds += seconds_now() - start;
    done = result.steps >= total || signals.asked();
    const auto rate = static_cast<double>(interval_tokens) / interval_seconds;
    if (!o.quiet) progress.at(static_cast<double>(result.steps), fmt::format("loss {:.4f}  lr {:.2e}  {:.0f} tokens/s", losses / static_cast<double>(interval), optimizer->learning_rate(), rate));
    if (result.steps % o.logging_steps == 0 || done) {
      const auto count = static_cast<double>(interval);
      result.train_loss = losses / count;
      Json line{{"step", result.steps}, {"epoch", static_cast<double>(result.steps) / static_cast<double>(per_epoch)}, {"loss", result.train_loss}, {"learning_rate", optimizer->learning_rate()},
                {"grad_norm", norms / count}, {"tokens_per_second", rate}};
      metrics.write(line);
      history.push_back(line);
      losses = norms = interval_seconds = 0;
      interval = interval_tokens = 0;
    }
    const bool due = o.eval_steps > 0 ? result.steps % o.eval_steps == 0 : order.at_end_of_epoch();
    if (held_out && (done || due)) judge();
    if (!done && o.patience > 0 && worse >= o.patience) {
      done = true;
      say(fmt::format("stopped after step {}: no better model in {} evaluations", result.steps, worse));
    }
  }
  if (!o.quiet) progress.finish(static_cast<double>(result.steps), fmt::format("loss {:.4f}", result.train_loss));
  if (!held_out) save();
  Json state{{"global_step", result.steps}, {"max_steps", total}, {"num_input_tokens_seen", result.tokens}, {"best_metric", held_out ? Json(result.score()) : Json()},
             {"best_global_step", result.best_step}, {"train_runtime", result.seconds}, {"log_history", history}};
  write_file(o.out / "trainer_state.json", state.dump(2) + "\n");
  if (signals.asked()) say(fmt::format("stopped by a signal after step {}; the {} model is saved", result.steps, held_out ? "best" : "last"));
  return result;
}

}  // namespace gradus
