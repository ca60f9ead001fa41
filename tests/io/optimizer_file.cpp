// An optimizer in a file: N steps, saving, loading and N steps are 2N steps, to the last bit.
#include "gradus/io/optimizer_file.h"

#include "gradus/autograd/engine.h"
#include "gradus/io/layer_file.h"
#include "gradus/io/safetensors.h"
#include "gradus/nn/transformer.h"
#include "gradus/optim/optimizers.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// Query, key and value are ranges of one leaf; with `backwards`, the parts are listed in another
// order.
struct Model {
  TransformerLayer layer{{.hidden = 4, .layers = 1, .heads = 2, .intermediate = 6}};
  Linear head{4, 2};
  bool backwards = false;
  Tensor operator()(const Tensor& x) const { return head(layer(x, Ragged({2, 1}))); }
  void parts(Parts& p) {
    if (backwards) p("head", head);
    p("layer", layer);
    if (!backwards) p("head", head);
  }
};

Model made(uint64_t seed) {
  Model model;
  initialize(model, Normal{0.5}, seed);
  return model;
}

std::map<std::string, std::vector<float>> values_of(Model& model) {
  std::map<std::string, std::vector<float>> values;
  for (const Parameter& p : parameters(model)) values[p.name] = p.view().to_vector<float>();
  return values;
}

// Steps `from` to 6, each on its own batch, with clipping.
void run(const Model& model, Optimizer& optimizer, uint64_t from, uint64_t to) {
  for (uint64_t step = from; step < to; ++step) {
    backward(sum(square(model(random_normal({3, 4}, 3, step)) - 1.0)));
    optimizer.step(1.0);
  }
}

}  // namespace

TEST_CASE("N steps, saving, loading and N steps are 2N steps, bit for bit, for every optimizer") {
  const Scratch scratch;
  for (const std::string& name : optimizer_names()) {
    CAPTURE(name);
    const OptimizerSettings settings{.learning_rate = 0.01, .weight_decay = 0.1};
    Model through = made(1), again = made(2), without = made(2);
    again.backwards = true;
    const auto whole = make_optimizer(name, through, settings),
               resumed = make_optimizer(name, again, settings),
               fresh = make_optimizer(name, without, settings);
    run(through, *whole, 0, 3);
    save(scratch / "model.safetensors", through);
    save_optimizer(scratch / "optimizer.safetensors", *whole);
    run(through, *whole, 3, 6);

    load(scratch / "model.safetensors", again);
    load_optimizer(scratch / "optimizer.safetensors", *resumed);
    CHECK(resumed->steps() == 3);
    run(again, *resumed, 3, 6);
    CHECK(values_of(again) == values_of(through));

    load(scratch / "model.safetensors", without);  // what a state is for
    run(without, *fresh, 3, 6);
    CHECK(values_of(without) != values_of(through));
  }
}

TEST_CASE("a file of another optimizer or of none is refused, and nothing is changed") {
  const Scratch scratch;
  Model model = made(1), second = made(1);
  Lamb lamb(model);
  AdamW adam(second);  // of the same buffers
  run(second, adam, 0, 1);
  save_optimizer(scratch / "lamb", lamb);
  save(scratch / "model", model);
  CHECK_MENTIONS(error_of([&] { load_optimizer(scratch / "lamb", adam); }),
                 "the state of lamb, and the optimizer is adamw");
  CHECK_MENTIONS(error_of([&] { load_optimizer(scratch / "model", adam); }),
                 "no optimizer's state");
  write_safetensors(scratch / "bad", {}, StoredAs::f32, {{"optimizer", "adamw"}, {"steps", "3x"}});
  CHECK_MENTIONS(error_of([&] { load_optimizer(scratch / "bad", adam); }), "'3x'");
  CHECK(adam.steps() == 1);
}
