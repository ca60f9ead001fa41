// What a run will take: counts and memory are exact, time is what the steps of this machine took.
#include "gradus/train/estimate.h"

#include "gradus/train/measure.h"
#include "tests/train/small_runs.h"

using namespace gradus;
using namespace gradus::testing;

TEST_CASE("estimate: parameters, memory by kind, and a plan by steps, epochs and the clock") {
  const Scratch scratch;
  PretrainOptions o = small_pretraining(scratch, "run");
  const Estimate e = estimate(o);
  BertForPreTraining model(story_config(CorpusFile::open(o.data).vocabulary().size()));
  const double parameters_bytes = 4.0 * static_cast<double>(count_parameters(parameters(model)));
  CHECK(e.parameters == count_parameters(parameters(model)));
  CHECK(e.memory.parameters == doctest::Approx(parameters_bytes).epsilon(0.1));
  CHECK(e.memory.gradients == doctest::Approx(parameters_bytes).epsilon(0.01));
  CHECK(e.memory.optimizer == doctest::Approx(2 * parameters_bytes).epsilon(0.1));  // Adam's m, v
  CHECK(e.memory.activations > 0);
  CHECK(e.memory.corpus == static_cast<double>(std::filesystem::file_size(o.data)));
  CHECK(e.steps == 6);
  CHECK(e.seconds == doctest::Approx(e.tokens / e.tokens_per_second));
  CHECK(e.eval_seconds > 0);
  CHECK_FALSE(std::filesystem::exists(o.out));

  const PretrainResult result = pretrain(o);
  CHECK(e.tokens == doctest::Approx(static_cast<double>(result.tokens)).epsilon(0.2));

  o.max_steps = 0, o.epochs = 3;
  CHECK(estimate(o).tokens ==
        doctest::Approx(3.0 *
                        static_cast<double>(InstanceSource(CorpusFile::open(o.data), Split::train,
                                                           {.max_seq_length = 48}, o.seed)
                                                .tokens(0)))
            .epsilon(0.1));
  o.max_minutes = 2, o.epochs = 1;
  CHECK(estimate(o).seconds == doctest::Approx(120));
  o.optimizer = "sgd";
  CHECK(estimate(o).memory.optimizer == doctest::Approx(parameters_bytes).epsilon(0.1));
}

TEST_CASE("estimate: a run in phases is the mean of its phases") {
  const Scratch scratch;
  PretrainOptions o = small_pretraining(scratch, "run");
  o.instances.short_seq_prob = 0;
  const double longer = estimate(o).flop_per_token;
  o.phases = {{16, 1}};
  const double shorter = estimate(o).flop_per_token;
  o.phases = {{16, 0.5}, {48, 0.5}};
  const double both = estimate(o).flop_per_token;
  CHECK(shorter < longer);
  CHECK(both > shorter);
  CHECK(both < longer);
}
