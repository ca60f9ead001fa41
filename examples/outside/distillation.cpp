// Distillation (Hinton et al. 2015): a small student learns what a large teacher thinks of each
// answer, instead of labels alone. Labels here are drawn by chance, so a single one says little.
#include <gradus/gradus.h>
using namespace gradus;

struct Network {
  Linear in, hidden, out;
  explicit Network(int64_t n) : in(4, n), hidden(n, n), out(n, 6) {}
  Tensor operator()(const Tensor& x) const { return out(gelu(hidden(gelu(in(x))))); }
  void parts(Parts& p) { p("in", in), p("hidden", hidden), p("out", out); }
};

struct Data {
  Tensor x, truth, label;  // truth: the logits by which labels are drawn
  Data(uint64_t seed, int64_t n) : x(random_normal({n, 4}, seed)) {
    truth = 3 * sin(matmul(x, random_normal({4, 6}, 99)));
    const Tensor luck = random_uniform({n, 6}, 1e-6, 1, seed, 1);
    label = argmax(truth - log(-log(luck)), 1);
  }
};
template <class Loss>
double learn(const char* name, Network& model, const Loss& loss) {  // returns its best moment
  initialize(model, Normal{0.3}, /*seed=*/1);
  AdamW optimizer(model, {.learning_rate = 5e-3});
  const Data test(0, 4000);
  double least = 10;
  fmt::print("{:<22}", name);
  for (int step = 1; step <= 400; ++step) {
    backward(loss(step));
    optimizer.step(/*max_norm=*/1.0);
    if (step % 50 != 0) continue;
    const double lost = kl_div(log_softmax(model(test.x)), softmax(test.truth)).item();
    fmt::print("  {:.3f}", lost);
    least = std::min(least, lost);
  }
  fmt::print("\n");
  return least;
}

int main() {
  fmt::print("Nats lost against the truth after 50, 100, … steps\n");
  Network teacher(128), hard(24), soft(24), small(4);
  learn("teacher, new examples", teacher, [&](int step) {
    const Data fresh(step, 512);
    return cross_entropy(teacher(fresh.x), fresh.label);
  });
  const Data few(1, 512);
  const Tensor thought = softmax(teacher(few.x) / 2).detach();  // at temperature 2
  const double by_labels = learn("student, 512 labels", hard,
                                 [&](int) { return cross_entropy(hard(few.x), few.label); });
  const double by_teacher = learn("student, the teacher", soft, [&](int) {
    return 4 * kl_div(log_softmax(soft(few.x) / 2), thought);
  });
  initialize(small, Normal{0.5}, 2);
  const auto check = gradcheck(small, {random_normal({2, 4}, 1)}, {.order = 2});
  fmt::print("{}\n", check.summary());
  return check && by_teacher < 0.5 * by_labels ? 0 : 1;
}
