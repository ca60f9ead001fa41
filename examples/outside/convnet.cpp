// A convolutional network reads strings of different lengths, without padding, and says which of
// three words is hidden in them, if any: each filter looks everywhere, and its best match counts.
#include <gradus/gradus.h>
using namespace gradus;

struct Convnet {
  Conv1d first, second;
  Linear out;
  explicit Convnet(int64_t n) : first(4, n, 4), second(n, n, 3, {.stride = 2}), out(n, 4) {}
  Tensor operator()(const Tensor& letters, const Ragged& strings) const {
    const Tensor x = gelu(first(one_hot(letters, 4, first.weight.dtype()), strings));
    return out(segment_max(second(x, strings), second.after(strings)));
  }
  void parts(Parts& p) { p("first", first), p("second", second), p("out", out); }
};

const std::array<std::string, 4> words{"GATTACA", "CATCAGA", "ACTGATT", ""};
struct Strings {
  std::vector<std::string> texts;
  std::vector<int32_t> letters;
  std::vector<int64_t> lengths, labels;
  Strings(uint64_t seed, int n) {
    Random random(seed);
    for (int i = 0; i < n; ++i) {
      const std::string& word = words[labels.emplace_back(random.below(4))];
      std::string& text = texts.emplace_back(lengths.emplace_back(random.between(15, 40)), ' ');
      for (char& c : text) c = "ACGT"[random.below(4)];
      text.replace(random.below(lengths.back() - 6), word.size(), word);
      for (const char c : text) letters.push_back(std::string("ACGT").find(c));
    }
  }
  Tensor answers(const Convnet& model) const {
    return model(from_vector(letters), Ragged(lengths));
  }
  Tensor wanted() const { return from_vector(labels); }
};

int main() {
  Convnet model(32), small(4);
  initialize(model, Normal{0.2}, /*seed=*/1);
  AdamW optimizer(model, {.learning_rate = 5e-3});
  for (int step = 1; step <= 400; ++step) {
    const Strings strings(step, 64);
    backward(cross_entropy(strings.answers(model), strings.wanted()));
    optimizer.step(/*max_norm=*/1.0);
  }
  const Strings test(0, 1000);
  const Tensor logits = test.answers(model), said = argmax(logits, 1);
  const double right = 100 * accuracy(logits, test.wanted());
  fmt::print("{:.1f} % of 1000 new strings right\n", right);
  for (int i = 0; i < 4; ++i)
    fmt::print("  {:<41}{}\n", test.texts[i], words[said.to_vector<int64_t>()[i]]);
  initialize(small, Normal{0.5}, 2);
  const auto call = [](Convnet& c, Inputs in) { return c(in[0], Ragged({5, 2})); };
  const auto check =
      gradcheck(small, call, {tensor({0, 3, 2, 2, 1, 1, 0}, DType::i32)}, {.order = 2});
  fmt::print("{}\n", check.summary());
  return check && right > 95 ? 0 : 1;
}
