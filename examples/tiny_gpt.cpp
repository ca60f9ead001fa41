// A causal language model from the parts that BERT is made of: the encoder with causal attention,
// an embedding, a tied decoder. It reads a text by characters (this file, or the one named on the
// command line), learns to go on with it, and goes on with it.
//   tiny_gpt [FILE] [STEPS]
#include "gradus/base/file.h"
#include "gradus/base/random.h"
#include "gradus/nn/transformer.h"
#include "gradus/optim/adamw.h"

using namespace gradus;

struct TinyGpt {
  Embedding characters{256, 64}, positions{64, 64};
  Encoder encoder{{.hidden = 64,
                   .layers = 2,
                   .heads = 4,
                   .intermediate = 256,
                   .hidden_dropout = 0,
                   .attention_dropout = 0,
                   .causal = true}};
  Tensor bias = zeros({256}).set_requires_grad();
  Tensor operator()(const std::vector<int32_t>& ids, const Ragged& sequences) const {
    const std::vector<int32_t> position(sequences.row_position(),
                                        sequences.row_position() + sequences.tokens());
    const Shape shape{sequences.tokens()};
    return encoder(characters(from_vector(ids, shape)) + positions(from_vector(position, shape)),
                   sequences);
  }
  void parts(Parts& p) {
    p("characters", characters);
    p("positions", positions);
    p("encoder", encoder);
    p("bias", bias);
  }
};

int main(int argc, char** argv) {
  const std::string text = read_file(argc > 1 ? argv[1] : __FILE__);
  const int steps = argc > 2 ? std::stoi(argv[2]) : 150;
  TinyGpt model;
  initialize(model, Normal{0.05}, 1);
  AdamW optimizer(model, {.learning_rate = 3e-3});
  Random random(1);
  double first = 0, last = 0;
  for (int step = 0; step < steps; ++step) {
    std::vector<int32_t> ids, next;  // 16 sequences of different lengths, without padding
    std::vector<int64_t> lengths;
    for (int i = 0; i < 16; ++i) {
      lengths.push_back(random.between(24, 64));
      const char* at =
          text.data() + random.below(static_cast<int64_t>(text.size()) - lengths.back() - 1);
      for (int64_t j = 0; j < lengths.back(); ++j)
        ids.push_back(static_cast<uint8_t>(at[j])), next.push_back(static_cast<uint8_t>(at[j + 1]));
    }
    const auto loss = decoder_loss(model(ids, Ragged(lengths)), model.characters.weight, model.bias,
                                   from_vector(next, {static_cast<int64_t>(next.size())}));
    backward(loss.loss);
    optimizer.step(1.0);
    last = loss.loss.item();
    if (step == 0) first = last;
    if (step % 50 == 0)
      fmt::print("step {:4}  loss {:.3f}  accuracy {:.2f}\n", step, last,
                 static_cast<double>(loss.correct) / static_cast<double>(ids.size()));
  }
  const NoGrad scope;
  std::vector<int32_t> written(text.begin(), text.begin() + 32);
  for (int i = 0; i < 120; ++i) {  // the likeliest character, given the last 64
    const std::vector<int32_t> ids(
        written.end() - std::min<int64_t>(64, static_cast<int64_t>(written.size())), written.end());
    const auto n = static_cast<int64_t>(ids.size());
    written.push_back(
        static_cast<int32_t>(argmax(linear(slice(model(ids, Ragged({n})), 0, n - 1, n),
                                           model.characters.weight, model.bias),
                                    -1)
                                 .item()));
  }
  fmt::print("loss {:.3f} -> {:.3f}. It goes on with:\n{}\n", first, last,
             std::string(written.begin(), written.end()));
  return last < 0.7 * first ? 0 : 1;
}
