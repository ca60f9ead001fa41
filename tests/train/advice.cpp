// What a run is told about itself, and what it is not told.
#include "gradus/train/advice.h"

#include "gradus/train/watched_masks.h"
#include "tests/train/small_runs.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// All that is said in 400 steps whose loss is a function of the step.
std::string told(const LossAdvice::Run& run, const std::function<double(int64_t)>& loss) {
  LossAdvice advice(run);
  std::string text;
  for (int64_t step = 1; step <= 400; ++step)
    if (const auto line = advice.at(step, loss(step))) text += fmt::format("{}: {}\n", step, *line);
  return text;
}

}  // namespace

TEST_CASE(
    "advice: a loss that stays at the unigram model's is told of at step 200, with what to try") {
  const std::string stuck = told({6.45, "hugging_face", 1e-4}, [](int64_t) { return 6.41; });
  CHECK_MENTIONS(stuck, "200: the loss, 6.41");
  CHECK_MENTIONS(stuck, "6.45", "Try initialization counts", "hugging_face", "1e-3", "0.0001");
  const std::string with_counts = told({6.45, "counts", 2e-3}, [](int64_t) { return 6.41; });
  CHECK(with_counts.find("initialization") == std::string::npos);
  CHECK(with_counts.find("1e-3") == std::string::npos);
  CHECK(told({6.45, "hugging_face", 1e-4}, [](int64_t step) { return 7 - 0.01 * step; }).empty());
}

TEST_CASE("advice: a loss that rises is told of once; noise is not") {
  const auto rising = [](int64_t step) {
    return step < 150 ? 6 - 0.02 * step : 3 + 0.02 * (step - 150);
  };
  const std::string text = told({6.45, "counts", 3e-2}, rising);
  CHECK_MENTIONS(text, "the loss rises", "0.03", "a longer warm-up");
  CHECK(text.find("rises", text.find("rises") + 1) == std::string::npos);
  CHECK(told({6.45, "counts", 3e-3}, [](int64_t step) {
          return 4 + (step % 2 ? 0.4 : -0.4);
        }).empty());
}

TEST_CASE("advice: a vocabulary that does not fit, lines that are there twice") {
  CorpusStatistics numbers{};
  CorpusInfo info;
  numbers.train.tokens = 1000, info.lines = 100;
  CHECK(corpus_advice(numbers, info).empty());
  numbers.train.unknown = 50, info.duplicate_lines = 30;
  const std::string text = corpus_advice(numbers, info);
  CHECK_MENTIONS(text, "5 % of the tokens are [UNK]", "gradus vocab", "30 % of the lines");
}

TEST_CASE("watched masks: filled at each evaluation; a line that cannot be is refused by number") {
  const Scratch scratch;
  write_file(scratch / "watch.txt", "The dog was very [MASK].\n\n[MASK] lives in [MASK].\r\n");
  PretrainOptions o = small_pretraining(scratch, "run");
  o.watch_masks = scratch / "watch.txt";
  pretrain(o);
  BertForPreTraining model(load_config(o.out));
  load_parameters(o.out, parameters(model));
  const Tokenizer tokenizer = load_tokenizer(o.out);
  const WatchedMasks watched(o.watch_masks, model.masked_lm(), tokenizer);
  const auto filled = watched.filled(model.masked_lm(), tokenizer);
  REQUIRE(filled.size() == 2);
  for (const auto& [line, masks] : {std::pair{filled[0], 1}, std::pair{filled[1], 2}}) {
    CHECK(std::count(line.begin(), line.end(), '|') == masks);
    CHECK(std::count(line.begin(), line.end(), '%') == 3 * masks);
  }
  // they stand in the log, and beside the curve
  const std::string page = read_file(o.out / "curve.html");
  CHECK_MENTIONS(read_file(o.out / "metrics.jsonl"), "\"examples\":[\"The dog was very [MASK].");
  CHECK_MENTIONS(page, "The dog was very [MASK].", "training loss", "held out masked_lm_loss",
                 "held out masked_lm_accuracy", "</html>");

  write_file(scratch / "watch.txt", "The dog was very [MASK].\nno mask here\n");
  o.out = scratch / "other";
  const std::string error = error_of([&] { pretrain(o); });
  CHECK_MENTIONS(error, "watch.txt, line 2:", "[MASK]");
  CHECK_FALSE(std::filesystem::exists(o.out));
  write_file(scratch / "watch.txt", "\n");
  CHECK_MENTIONS(error_of([&] { pretrain(o); }), "there is no text in it");
}
