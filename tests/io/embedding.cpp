// Vectors of texts against transformers and NumPy: tests/fixtures/tiny-bert/embeddings.json says
// which versions made it, in float64.
#include "gradus/models/embedding.h"

#include <algorithm>
#include <cmath>

#include "gradus/base/json.h"
#include "tests/io/small_model.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

const std::filesystem::path fixture =
    std::filesystem::path(GRADUS_SOURCE_ROOT) / "tests" / "fixtures" / "tiny-bert";

struct Fixture {
  nlohmann::json expected = read_json(fixture / "embeddings.json");
  BertModel model{load_config(fixture)};
  std::vector<Sequence> sequences;
  Fixture() {
    // saved as a BertForPreTraining: the names begin with "bert."
    const LoadReport report = load_parameters(fixture, parameters(model));
    CHECK_MESSAGE(report.fresh.empty(), report.to_text());
    for (size_t i = 0; i < expected.at("ids").size(); ++i) {
      Sequence sequence;
      sequence.ids = expected["ids"][i].get<std::vector<int32_t>>();
      sequence.types = expected["types"][i].get<std::vector<int32_t>>();
      sequences.push_back(sequence);
    }
  }
  // The largest difference, relative to the largest magnitude.
  double distance(const Tensor& ours, const char* name) const {
    double difference = 0, magnitude = 0;
    const std::vector<double> values = ours.to_vector<double>();
    size_t i = 0;
    for (const auto& row : expected.at(name))
      for (const auto& value : row) {
        REQUIRE(i < values.size());
        difference = std::max(difference, std::abs(values[i++] - value.get<double>()));
        magnitude = std::max(magnitude, std::abs(value.get<double>()));
      }
    CHECK(i == values.size());
    return difference / magnitude;
  }
};

}  // namespace

TEST_CASE(
    "embeddings: mean and [CLS], with and without norm, are those of transformers and NumPy, in "
    "the order of the texts") {
  const Fixture f;
  for (const int64_t batch_tokens : {1, 6, 4096}) {  // alone, a few together, all together
    const auto vectors = [&](Pooling pooling, bool normalize) {
      return embed(f.model, f.sequences,
                   {.pooling = pooling, .normalize = normalize, .batch_tokens = batch_tokens});
    };
    CHECK(f.distance(vectors(Pooling::mean, false), "mean") < 1e-5);
    CHECK(f.distance(vectors(Pooling::cls, false), "cls") < 1e-5);
    CHECK(f.distance(vectors(Pooling::mean, true), "mean_normalized") < 1e-5);
    CHECK(f.distance(vectors(Pooling::cls, true), "cls_normalized") < 1e-5);
  }
}

TEST_CASE("embeddings: the same in float64, pooled from a batch that has several texts") {
  const Fixture f;
  const BertModel model = clone(f.model, DType::f64);
  const NoGrad scope;
  TokenBatch batch;
  for (const Sequence& s : f.sequences) batch.add(s.ids, s.types);
  const BertInput input(model.config, batch);
  const Tensor hidden = model(input);
  CHECK(f.distance(pool(hidden, input.sequences, Pooling::mean), "mean") < 1e-10);
  CHECK(f.distance(pool(hidden, input.sequences, Pooling::cls), "cls") < 1e-10);
  CHECK(f.distance(normalize_rows(pool(hidden, input.sequences, Pooling::mean)),
                   "mean_normalized") < 1e-10);
}

TEST_CASE(
    "embeddings: batches hold texts of similar length, the longest first, within the budget") {
  const Fixture f;  // lengths 3, 9, 2, 12, 3
  std::vector<std::vector<size_t>> batches;
  for_each_batch(f.model.config, f.sequences, 6,
                 [&](const BertInput& batch, const std::vector<size_t>& rows) {
                   CHECK(batch.sequences.sequences() == static_cast<int64_t>(rows.size()));
                   batches.push_back(rows);
                 });
  CHECK(batches == std::vector<std::vector<size_t>>{{3}, {1}, {0, 4}, {2}});
  CHECK(embed(f.model, {}, {}).numel() == 0);
}

TEST_CASE("embeddings: a row of zeros has no direction and stays") {
  const std::vector<double> rows =
      normalize_rows(tensor({{3, 4}, {0, 0}}, DType::f64)).to_vector<double>();
  CHECK(rows[0] == doctest::Approx(0.6));
  CHECK(rows[1] == doctest::Approx(0.8));
  CHECK(rows[2] == 0);
  CHECK(rows[3] == 0);
}
