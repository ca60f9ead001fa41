// What changes on the way of a pretraining run: lengths, instances a step, masks.
#include "gradus/train/curriculum.h"

#include "tests/train/small_runs.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

int64_t longest(const PretrainingBatch& batch) {
  size_t most = 0;
  for (const Instance& instance : batch.instances) most = std::max(most, instance.ids.size());
  return static_cast<int64_t>(most);
}

double masked_share(const PretrainingBatch& batch) {
  return static_cast<double>(batch.predicted()) / static_cast<double>(batch.tokens());
}

CurriculumOptions changing() {
  return {.instances = {.max_seq_length = 48, .max_predictions_per_seq = 0, .short_seq_prob = 0},
          .batch_size = 8,
          .phases = {{24, 0.5}, {48, 0.5}},
          .final_batch_size = 16,
          .final_masked_lm_prob = 0.45,
          .seed = 3};
}

}  // namespace

TEST_CASE("curriculum: without anything that changes it is the stream of its instances") {
  const CorpusFile corpus = CorpusFile::open(world().corpus);
  const InstanceOptions instances{.max_seq_length = 48};
  Curriculum curriculum(corpus, {.instances = instances, .batch_size = 7, .seed = 5});
  const InstanceSource source(corpus, Split::train, instances, 5);
  InstanceStream stream(source);
  for (const double progress : {0.0, 0.3, 0.9})
    CHECK(curriculum.next(progress).to_json() == stream.next(7).to_json());
  CHECK(curriculum.epoch() == doctest::Approx(21.0 / static_cast<double>(source.size(0))));
  CHECK(curriculum.steps_an_epoch() == doctest::Approx(static_cast<double>(source.size(0)) / 7));
}

TEST_CASE("curriculum: lengths follow the phases, at the same work a step; batches and masks too") {
  const CorpusFile corpus = CorpusFile::open(world().corpus);
  Curriculum curriculum(corpus, changing());
  const PretrainingBatch first = curriculum.next(0);
  CHECK(first.instances.size() == 16);  // of half the length
  CHECK(longest(first) <= 24);
  CHECK(masked_share(first) == doctest::Approx(0.15).epsilon(0.15));
  CHECK(curriculum.next(0.49).instances.size() == 24);  // 12 of 48
  const double before = curriculum.epoch();
  const PretrainingBatch later = curriculum.next(0.5);
  CHECK(later.instances.size() == 12);
  CHECK(longest(later) > 24);
  CHECK(curriculum.epoch() > before);
  const PretrainingBatch last = curriculum.next(0.999);
  CHECK(last.instances.size() == 16);
  CHECK(masked_share(last) == doctest::Approx(0.45).epsilon(0.1));
}

TEST_CASE("curriculum: it goes on from its state with the batches that would have followed") {
  const CorpusFile corpus = CorpusFile::open(world().corpus);
  for (const double stop : {0.2, 0.7}) {
    Curriculum whole(corpus, changing()), resumed(corpus, changing());
    for (double progress = 0; progress < stop; progress += 0.1) whole.next(progress);
    resumed.restore(whole.state());
    CHECK(resumed.epoch() == whole.epoch());
    for (double progress = stop; progress < 1; progress += 0.1)
      CHECK(resumed.next(progress).to_json() == whole.next(progress).to_json());
  }
}

TEST_CASE("curriculum: what cannot be is refused by name") {
  const CorpusFile corpus = CorpusFile::open(world().corpus);
  const auto error = [&](auto&& change) {
    CurriculumOptions options = changing();
    change(options);
    return error_of([&] { Curriculum(corpus, options); });
  };
  CHECK_MENTIONS(error([](auto& o) { o.phases[0].share = 0.6; }), "1.1");
  CHECK_MENTIONS(error([](auto& o) { o.phases[0].share = -1; }), "share");
  CHECK_MENTIONS(error([](auto& o) { o.phases[0].max_seq_length = 2; }), "max_seq_length 2");
  CHECK_MENTIONS(error([](auto& o) { o.final_masked_lm_prob = 1.5; }),
                 "options.masked_lm_prob 1.5");
  CHECK_MENTIONS(error([](auto& o) { o.final_batch_size = 0; }), "options.batch_size 0");
}
