// Any layer to a file and back: to the last bit, and refused by name where file and layer differ.
#include "gradus/io/layer_file.h"

#include "gradus/base/file.h"
#include "gradus/io/safetensors.h"
#include "gradus/nn/transformer.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// A stranger's: gates side by side, a bare tensor, a decoder tied to its embedding.
struct Lstm {
  Embedding words{7, 4};
  Linear input{4, 12}, recurrent{3, 12, {.bias = false}};
  Linear out{3, 4};
  Tensor initial = zeros({2, 3}).set_requires_grad();
  MultiHeadAttention attention{{.hidden = 4, .heads = 2}};
  Tensor seen = tensor({3, 1, 4}, DType::i64);  // how often each gate was open: counted
  void parts(Parts& p) {
    p("words", words);
    p.buffer("seen", seen);
    p("input", input);
    p("recurrent", recurrent);
    p("initial", initial);
    p("out", out);
    p("attention", attention);
    p.tied("decoder.weight", words.weight);
  }
};

Lstm made(uint64_t seed, DType dtype) {
  Lstm lstm;
  initialize(lstm, Normal{0.3}, seed);
  return clone(lstm, dtype);
}

void check_same(Lstm& a, Lstm& b) {
  const auto x = parameters(a), y = parameters(b);
  for (size_t i = 0; i < x.size(); ++i)
    CHECK_MESSAGE(x[i].view().to_vector<double>() == y[i].view().to_vector<double>(), x[i].name);
}

}  // namespace

TEST_CASE("buffers are saved and loaded with the layer, integers too") {
  struct Running {
    Linear a{2, 2};
    Tensor mean = zeros({2}), order = arange(3);
    void parts(Parts& p) {
      p("a", a);
      p.buffer("mean", mean);
      p.buffer("order", order);
    }
  };
  const Scratch scratch;
  Running before, after;
  before.mean.write<float>()[1] = 0.25f;
  before.order.write<int64_t>()[0] = 7;
  save(scratch / "running", before);
  load(scratch / "running", after);
  CHECK(after.mean.to_vector<float>() == std::vector<float>{0, 0.25f});
  CHECK(after.order.to_vector<int64_t>() == std::vector<int64_t>{7, 1, 2});
  CHECK_FALSE(after.mean.requires_grad());
}

TEST_CASE("a layer comes back to the last bit, in its own dtype, with its metadata") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Scratch scratch;
    const Lstm before = made(1, dtype);
    save(scratch / "lstm.safetensors", before, {{"steps", "2000"}});
    Lstm after = made(2, dtype), original = before;
    after.seen = zeros({3}, DType::i64);
    const Metadata said = load(scratch / "lstm.safetensors", after);
    check_same(after, original);
    CHECK(said == Metadata{{"steps", "2000"}});
    CHECK(after.words.weight.is_leaf());

    const SafetensorsFile file(scratch / "lstm.safetensors");
    CHECK(file.entries().size() == 16);  // the tied name is none of them, the ranges are six
    CHECK(file.entry("attention.key.weight").shape == Shape{4, 4});
    CHECK(file.entry("seen").dtype == "I64");
    CHECK(file.entry("recurrent.weight").dtype == (dtype == DType::f32 ? "F32" : "F64"));
    save(scratch / "again.safetensors", after, said);
    CHECK(read_file(scratch / "again.safetensors") == read_file(scratch / "lstm.safetensors"));
    CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 2);
  }
}

TEST_CASE("a file that is not this layer's is one Error with every fault, and nothing is written") {
  const Scratch scratch;
  const Lstm saved = made(1, DType::f32);
  std::vector<std::pair<std::string, Tensor>> tensors;
  Lstm source = saved;
  for (const Parameter& p : parameters(source)) {
    if (p.tied || p.name == "out.bias" || p.name == "initial") continue;
    Tensor written = p.view();
    if (p.name == "input.bias") written = cast(written, DType::f64);
    if (p.name == "out.weight") written = transpose(written);
    tensors.emplace_back(p.name, written);
  }
  tensors.emplace_back("head.weight", ones({2}));
  write_safetensors(scratch / "wrong.safetensors", tensors, StoredAs::it_is);
  Lstm layer = made(3, DType::f32), kept = clone(layer);
  const std::string error = error_of([&] { load(scratch / "wrong.safetensors", layer); });
  for (const char* part :
       {"wrong.safetensors", "2 parameters of the layer are not in it: initial, out.bias",
        "1 of its tensors are no part of the layer: head.weight",
        "'input.bias' is F64 [12] in it, and F32 [12] in the layer",
        "'out.weight' is F32 [3, 4] in it, and F32 [4, 3] in the layer"})
    CHECK_MENTIONS(error, part);
  check_same(layer, kept);
  CHECK_MENTIONS(error_of([&] { save(scratch / "nowhere" / "a.safetensors", layer); }), "nowhere");
}

TEST_CASE("tensors of any dtype and layout are written as they are") {
  const Scratch scratch;
  const Tensor flags = less(tensor({1, 5, 2}), tensor({2, 2, 2}));
  write_safetensors(scratch / "all",
                    {{"flag", flags},
                     {"i", tensor({1, -2}, DType::i64)},
                     {"t", transpose(tensor({{1, 2}, {3, 4}}, DType::f64))}},
                    StoredAs::it_is);
  const SafetensorsFile file(scratch / "all");
  CHECK(file.entry("flag").dtype == "BOOL");
  CHECK(file.entry("i").dtype == "I64");
  Tensor t = zeros({2, 2}, DType::f64);
  file.read("t", t);
  CHECK(t.to_vector<double>() == std::vector<double>{1, 3, 2, 4});
  CHECK_MENTIONS(error_of([&] {
                   write_safetensors(scratch / "all", {{"flag", flags}});
                 }),
                 "'flag' is boolean");
}
