#include "gradus/train/pretrain.h"

#include <omp.h>

#include <cmath>
#include <numeric>

#include "gradus/autograd/observer.h"
#include "gradus/autograd/random.h"
#include "gradus/base/json.h"
#include "gradus/io/model_folder.h"
#include "gradus/kernels/gemm.h"
#include "gradus/kernels/kernels.h"
#include "gradus/nn/audit.h"
#include "gradus/train/learning_ranges.h"
#include "gradus/train/measure.h"
#include "gradus/train/progress.h"
#include "gradus/train/run_log.h"
#include "gradus/train/stop_signals.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

BertInitialization initialization_named(const std::string& name) {
  if (name == "hugging_face") return BertInitialization::hugging_face;
  if (name == "google") return BertInitialization::google;
  if (name == "mimetic") return BertInitialization::mimetic;
  fail("options.initialization {}: it is hugging_face, google or mimetic", name);
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
  if (o.max_seq_length > config.max_position_embeddings)
    fail(
        "options.max_seq_length {} is more than the model's {} positions (max_position_embeddings)",
        o.max_seq_length, config.max_position_embeddings);
  if (o.dropout) config.hidden_dropout_prob = config.attention_probs_dropout_prob = *o.dropout;
  config.validate("the model's configuration");
  return config;
}

Json resolved(const PretrainOptions& o, const BertConfig& config, const Schedule& schedule,
              int64_t total_steps) {
  Json json;
  json["data"] = o.data.string();
  json["model"] = o.init ? o.init->string() : o.model;
  json["max_seq_length"] = o.max_seq_length;
  json["batch_size"] = o.batch_size;
  json["gradient_accumulation_steps"] = o.gradient_accumulation_steps;
  json["max_steps"] = total_steps;
  json["max_minutes"] = o.max_minutes;
  json["learning_rate"] = o.learning_rate;
  json["lr_scheduler_type"] = o.schedule;
  json["warmup_steps"] = schedule.warmup;
  json["weight_decay"] = o.weight_decay;
  json["max_grad_norm"] = o.max_grad_norm;
  json["optimizer"] = o.optimizer;
  json["initialization"] = o.initialization;
  json["hidden_dropout_prob"] = config.hidden_dropout_prob;
  json["attention_probs_dropout_prob"] = config.attention_probs_dropout_prob;
  json["masked_lm_prob"] = o.instances.masked_lm_prob;
  json["max_predictions_per_seq"] = o.instances.max_predictions_per_seq;
  json["short_seq_prob"] = o.instances.short_seq_prob;
  json["whole_word_mask"] = o.instances.whole_word_mask;
  json["next_sentence"] = o.instances.next_sentence;
  json["seed"] = o.seed;
  json["threads"] = omp_get_max_threads();
  json["blas_core"] = prepare_blas().core;
  json["kernels"] = kernels<float>().level;
  return json;
}

Json as_json(const PretrainingMetrics& m) {
  return Json{{"eval_masked_lm_loss", m.masked_loss},
              {"eval_perplexity", m.perplexity()},
              {"eval_masked_lm_accuracy", m.masked_accuracy},
              {"eval_next_sentence_loss", m.next_loss},
              {"eval_next_sentence_accuracy", m.next_accuracy},
              {"eval_predicted", m.predicted},
              {"eval_pairs", m.pairs}};
}

std::string as_text(const PretrainingMetrics& m) {
  std::string text =
      fmt::format("held out: MLM loss {:.3f}  perplexity {:.1f}  MLM accuracy {:.3f}",
                  m.masked_loss, m.perplexity(), m.masked_accuracy);
  if (m.pairs) text += fmt::format("  NSP accuracy {:.3f} ({} pairs)", m.next_accuracy, m.pairs);
  return text;
}

// Sums over a logging interval.
struct Interval {
  double masked = 0, next = 0, norm = 0, seconds = 0, flop = 0;
  int64_t masked_correct = 0, next_correct = 0, predicted = 0, pairs = 0, tokens = 0, steps = 0;

  void add(const StepResult& step, const PretrainingBatch& batch, const BertConfig& config,
           double step_seconds) {
    std::vector<int64_t> lengths;
    for (const Instance& instance : batch.instances)
      lengths.push_back(static_cast<int64_t>(instance.ids.size()));
    masked += step.masked_loss * static_cast<double>(batch.predicted());
    next += step.next_loss * static_cast<double>(batch.pairs());
    norm += step.gradient_norm;
    seconds += step_seconds;
    flop += training_flop(config, lengths, batch.predicted());
    masked_correct += step.masked_correct;
    next_correct += step.next_correct;
    predicted += batch.predicted();
    pairs += batch.pairs();
    tokens += batch.tokens();
    ++steps;
  }
  double masked_loss() const {
    return masked / static_cast<double>(std::max<int64_t>(predicted, 1));
  }
};

}  // namespace

StepResult training_step(const BertForPreTraining& model, Optimizer& optimizer,
                         const PretrainingBatch& batch, int64_t micro_batches, double max_grad_norm,
                         uint64_t seed, uint64_t step) {
  const Training training;
  const FirstOrderOnly first_order;
  StepResult result;
  for (const auto& part : batch.parts(model.bert.config, micro_batches)) {
    const RandomScope random(seed, step);
    const PretrainingLoss loss = model.loss(part.input, part.targets);
    const Tensors reached = backward(loss.total).reached;
    result.reached.insert(result.reached.end(), reached.begin(), reached.end());
    result.masked_loss += loss.masked;
    result.next_loss += loss.next;
    result.masked_correct += loss.masked_correct;
    result.next_correct += loss.next_correct;
  }
  optimizer.require_finite(result.masked_loss + result.next_loss);
  result.gradient_norm = optimizer.step(max_grad_norm);
  return result;
}

namespace {

void check_ranges(const PretrainOptions& o) {
  check_learning_ranges(o);
  check_count("options.gradient_accumulation_steps", o.gradient_accumulation_steps, 1);
  check_count("options.eval_instances", o.eval_instances, 0);
  check_range("options.max_minutes", o.max_minutes, {.at_least = 0});
}

}  // namespace

PretrainResult pretrain(const PretrainOptions& o) {
  check_ranges(o);
  const CorpusFile corpus = CorpusFile::open(o.data);
  const BertConfig config = configuration(o, corpus);
  InstanceOptions instance_options = o.instances;
  instance_options.max_seq_length = static_cast<int>(o.max_seq_length);
  const InstanceSource train(corpus, Split::train, instance_options, o.seed);
  std::optional<InstanceSource> held_out;
  if (!corpus.documents(Split::validation).empty())
    held_out.emplace(corpus, Split::validation, instance_options, o.seed + 1);
  const BertInitialization initialization = initialization_named(o.initialization);
  check_optimizer_name(o.optimizer);
  const Schedule::Shape shape = Schedule::shape_named(o.schedule);

  BertForPreTraining model(config);
  const std::vector<Parameter> list = parameters(model);
  initialize_bert(list, config, initialization, o.seed);
  std::string loaded;
  if (o.init) loaded = load_parameters(*o.init, list).to_text();
  // nothing is made before everything that was asked for is found to be right
  make_output_folder(o.out, o.overwrite);
  // Without pairs the next-sentence head and the pooler have no loss: they stay as they are.
  if (!instance_options.next_sentence)
    for (const char* pattern : {"bert.pooler.*", "cls.seq_relationship.*"}) freeze(list, pattern);

  const std::unique_ptr<Optimizer> chosen =
      make_optimizer(o.optimizer, list, {o.learning_rate, o.weight_decay});
  Optimizer& optimizer = *chosen;

  const int64_t per_step = o.batch_size * o.gradient_accumulation_steps;
  const bool by_minutes = o.max_minutes > 0 && o.max_steps == 0;
  int64_t total_steps = o.max_steps;
  if (by_minutes) {
    total_steps = 10000;  // of the schedule; how many are run follows the clock
  } else if (o.max_steps <= 0) {
    const double steps =
        o.epochs * static_cast<double>(train.size(0)) / static_cast<double>(per_step);
    total_steps = std::max<int64_t>(1, std::llround(steps));
  }
  Schedule schedule{shape, o.learning_rate, 0, total_steps};
  schedule.warmup = o.warmup < 1 ? std::llround(o.warmup * static_cast<double>(total_steps))
                                 : std::llround(o.warmup);
  const int64_t eval_steps =
      o.eval_steps > 0 ? o.eval_steps : std::max<int64_t>(1, total_steps / 10);

  const BlasCore& core = prepare_blas();
  const double sgemm = measure_sgemm_rate(3);
  write_file(o.out / "run.json", resolved(o, config, schedule, total_steps).dump(2) + "\n");
  RunLog log(o.out);
  Progress progress("pretrain", by_minutes ? o.max_minutes * 60 : static_cast<double>(total_steps),
                    by_minutes ? "s" : "steps");
  const auto say = [&](const std::string& line) {
    if (!o.quiet) progress.line(line);
  };
  if (!loaded.empty()) say(loaded);
  say(fmt::format(
      "{} parameters; {} training instances, {:.1f} M tokens an epoch; {} held-out instances",
      count_parameters(list), train.size(0), static_cast<double>(train.tokens(0)) / 1e6,
      held_out ? held_out->size(0) : 0));
  say(fmt::format(
      "{} threads, kernels {}, OpenBLAS core {}{}, sgemm {:.0f} GFLOP/s", omp_get_max_threads(),
      kernels<float>().level, core.core,
      core.right ? ""
                 : fmt::format(" (WRONG: {} wanted, expect a fraction of the speed)", core.wanted),
      sgemm));

  PretrainResult result;
  const auto save = [&] {
    save_model_folder(o.out, config, list, corpus.tokenizer());
    Json state{{"global_step", result.steps},
               {"num_input_tokens_seen", result.tokens},
               {"max_steps", total_steps},
               {"log_history", log.history()}};
    write_file(o.out / "trainer_state.json", state.dump(2) + "\n");
  };
  const auto evaluate_and_save = [&] {
    if (held_out) {
      result.validation = evaluate(model, *held_out, o.eval_instances);
      Json line = as_json(*result.validation);
      line["step"] = result.steps;
      line["tokens"] = result.tokens;
      log.write(line);
      write_file(o.out / "eval_results.json", line.dump(2) + "\n");
      say(fmt::format("step {:>6}  {}", result.steps, as_text(*result.validation)));
    }
    save();
  };

  StopSignals signals;
  InstanceStream stream(train);
  Interval interval;
  const double start = seconds_now();
  double paused = 0;  // in evaluations, which do not count as training time
  int64_t evaluations = 0;
  bool done = false;
  for (int64_t step = 0; !done; ++step) {
    const double step_start = seconds_now(), elapsed = step_start - start - paused;
    const int64_t place =
        by_minutes
            ? std::min(total_steps - 1, static_cast<int64_t>(elapsed / (o.max_minutes * 60) *
                                                             static_cast<double>(total_steps)))
            : step;
    optimizer.set_learning_rate(schedule.at(place));
    const PretrainingBatch batch = stream.next(per_step);
    const StepResult now = training_step(model, optimizer, batch, o.gradient_accumulation_steps,
                                         o.max_grad_norm, o.seed, static_cast<uint64_t>(step));
    if (step == 0) audit(list, now.reached);
    ++result.steps;
    result.tokens += batch.tokens();
    interval.add(now, batch, config, seconds_now() - step_start);

    const double minutes = (seconds_now() - start - paused) / 60;
    done = (!by_minutes && result.steps >= total_steps) ||
           (o.max_minutes > 0 && minutes >= o.max_minutes) || signals.asked();
    result.sgemm_share = interval.flop / interval.seconds / 1e9 / sgemm;
    if (!o.quiet)
      progress.at(
          by_minutes ? minutes * 60 : static_cast<double>(result.steps),
          fmt::format("loss {:.3f}  lr {:.2e}  {:.0f} tokens/s  share {:.2f}",
                      interval.masked_loss() +
                          interval.next / static_cast<double>(std::max<int64_t>(interval.pairs, 1)),
                      optimizer.learning_rate(),
                      static_cast<double>(interval.tokens) / interval.seconds, result.sgemm_share));
    if (result.steps % o.logging_steps == 0 || done) {
      const auto steps = static_cast<double>(interval.steps);
      Json line{{"step", result.steps},
                {"tokens", result.tokens},
                {"epoch", stream.epoch()},
                {"masked_lm_loss", interval.masked_loss()},
                {"masked_lm_accuracy",
                 static_cast<double>(interval.masked_correct) /
                     static_cast<double>(std::max<int64_t>(interval.predicted, 1))}};
      if (interval.pairs) {
        line["next_sentence_loss"] = interval.next / static_cast<double>(interval.pairs);
        line["next_sentence_accuracy"] =
            static_cast<double>(interval.next_correct) / static_cast<double>(interval.pairs);
      }
      line["learning_rate"] = optimizer.learning_rate();
      line["grad_norm"] = interval.norm / steps;
      line["tokens_per_second"] = static_cast<double>(interval.tokens) / interval.seconds;
      line["sgemm_share"] = result.sgemm_share;
      log.write(line);
      result.train_loss = interval.masked_loss();
      interval = {};
    }
    const int64_t due = (by_minutes ? place : result.steps) / eval_steps;
    if (!done && due > evaluations) {
      evaluations = due;
      const double pause = seconds_now();
      evaluate_and_save();
      paused += seconds_now() - pause;
    }
  }
  result.seconds = seconds_now() - start - paused;
  if (!o.quiet)
    progress.finish(by_minutes ? result.seconds : static_cast<double>(result.steps),
                    fmt::format("loss {:.3f}", result.train_loss));
  result.stopped_by = signals.asked();
  if (result.stopped_by) save();  // who stops a run does not wait for an evaluation
  else evaluate_and_save();
  return result;
}

}  // namespace gradus
