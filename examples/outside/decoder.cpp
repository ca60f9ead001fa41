// A decoder of today's kind (pre-norm, rotary positions, SwiGLU) learns to tell stories, letter by
// letter. A grammar makes them, so what the best possible reader would lose is known.
#include <gradus/gradus.h>
#include <gradus/train/loop.h>
using namespace gradus;
template <int64_t n>
struct Block {
  RmsNorm a{n}, b{n};
  MultiHeadAttention attend{{.hidden = n, .heads = 4, .causal = true, .rotary_base = 1e3}};
  FeedForward mlp{{.hidden = n, .intermediate = 2 * n, .kind = FeedForwardKind::swiglu}};
  Tensor operator()(const Tensor& x, const Ragged& sequences) const {
    const Tensor h = x + attend(a(x), sequences);
    return h + mlp(b(h));
  }
  void parts(Parts& p) { p("a", a), p("attend", attend), p("b", b), p("mlp", mlp); }
};
Tensor letters(const std::string& text) {
  return from_vector(std::vector<int32_t>(text.begin(), text.end()));
}
struct Decoder {
  Embedding table{128, 48};
  Block<48> first, second;
  RmsNorm norm{48};
  Tensor operator()(const std::string& text, const Ragged& stories) const {  // logits of the next
    return linear(norm(second(first(table(letters(text)), stories), stories)), table.weight);
  }
  void parts(Parts& p) { p("table", table), p("0", first), p("1", second), p("norm", norm); }
};
std::string story(Random& random) {  // one of 128, of 45 letters: ln(128) / 45 nats a letter
  const std::array names{"Emma", "Lena", "Nora", "Olga", "Karl", "Otto", "Paul", "Theo"};
  const std::array kinds{"blue", "nice", "thin", "tiny"}, things{"cup", "dog", "hat", "pen"};
  const size_t who = random.bits() % 8, kind = random.bits() % 4, thing = random.bits() % 4;
  return fmt::format("\n{0} has a {1} {2}. {3} {1} {2}.", names[who], kinds[kind], things[thing],
                     who < 4 ? "She likes her" : "He adores his");
}
int main() {
  Decoder model;
  initialize(model, Normal{0.1}, /*seed=*/1);
  AdamW optimizer(model, {.learning_rate = 4e-3});
  const auto loss = [&](int64_t step) {
    Random random(/*seed=*/1, static_cast<uint64_t>(step));
    std::string text;
    while (text.size() < 32 * 45) text += story(random);
    return cross_entropy(model(text, Ragged::equal(32, 45)), letters(text.substr(1) + "\n"));
  };
  const Schedule schedule{Schedule::Shape::constant, 4e-3, /*warmup=*/0, /*total=*/300};
  const double reached = train(model, optimizer, schedule, loss, {.quiet = true}).mean("loss");
  std::string told = "\nOlga has a tiny hat. S";
  while (told.size() < 45) {
    const Tensor next = argmax(model(told, Ragged({std::ssize(told)})), 1);
    told += static_cast<char>(next.to_vector<int32_t>().back());
  }
  Block<8> small;
  initialize(small, Normal{0.3}, 2);
  const auto call = [](Block<8>& b, Inputs in) { return b(in[0], Ragged({3, 2})); };
  const auto check = gradcheck(small, call, {random_normal({5, 8}, 1)}, {.order = 2});
  fmt::print("{:.3f} nats a letter (best: 0.108):{}\n{}\n", reached, told, check.summary());
  return check && reached < 0.125 && told.ends_with("She likes her tiny hat.") ? 0 : 1;
}
