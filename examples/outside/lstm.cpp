// A long short-term memory (Hochreiter and Schmidhuber 1997) whose forget gate begins open, on
// their adding problem: of 24 numbers two are marked, and their sum is wanted at the end.
#include <gradus/gradus.h>
using namespace gradus;
struct Lstm {
  Tensor weight, bias;  // of the input, forget and output gates, and of what is put in
  int64_t n;
  Lstm(int64_t in, int64_t n)
      : weight(zeros({4 * n, in + n})),
        bias(concat({zeros({n}), ones({n}), zeros({2 * n})}, 0)),
        n(n) {}
  Tensor operator()(const Tensor& x) const {  // [steps, batch, in] -> the last state [batch, n]
    Tensor h = zeros({x.size(1), n}, x.dtype()), cell = h;
    for (const Tensor& now : unbind(x)) {
      const Tensors gates = split(linear(concat({now, h}, 1), weight, bias), 4, 1);
      cell = sigmoid(gates[1]) * cell + sigmoid(gates[0]) * tanh(gates[3]);
      h = sigmoid(gates[2]) * tanh(cell);
    }
    return h;
  }
  void parts(Parts& p) { p("weight", weight), p("bias", bias, Init::keep); }
};

struct Adder {
  Lstm memory{2, 24};
  Linear out{24, 1};
  Tensor operator()(const Tensor& x) const { return out(memory(x)); }
  void parts(Parts& p) { p("memory", memory), p("out", out); }
};

struct Problem {
  Tensor x, y;
  explicit Problem(uint64_t seed, int64_t n = 64, int64_t steps = 24) {
    const Tensor order = random_uniform({steps, n}, 0, 1, seed, 0);  // the two largest are marked
    const Tensor marks = scatter(ones({2, n}), 0, topk(order, 2, 0).indices, steps);
    const Tensor numbers = random_uniform({steps, n}, 0, 1, seed, 1);
    x = stack({numbers, marks}, 2);
    y = reshape(sum(numbers * marks, 0), {n, 1});
  }
};

int main() {
  Adder model;
  initialize(model, Normal{0.2}, /*seed=*/1);
  AdamW optimizer(model, {.learning_rate = 1e-2});
  for (int step = 1; step <= 600; ++step) {
    const Problem problem(step);
    const Tensor loss = mean_squared_error(model(problem.x), problem.y);
    backward(loss);
    optimizer.step(/*max_norm=*/1.0);
    if (step % 100 == 0) fmt::print("step {}  {:.5f}\n", step, loss.item());
  }
  const Problem test(0, 1000);
  const double error = mean_squared_error(model(test.x), test.y).item(), blind = var(test.y).item();
  fmt::print("squared error on new numbers: {:.4f}; who always says 1: {:.4f}\n", error, blind);
  const auto check = gradcheck(model.memory, {random_normal({3, 2, 2}, 1)}, {.order = 2});
  fmt::print("{}\n", check.summary());
  return check && error < 0.05 * blind ? 0 : 1;
}
