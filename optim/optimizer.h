// Optimizers: SGD with momentum; AdamW, whose options also give Google's original BERT Adam; LAMB.
// Construct with a model (anything with parts()) or a list of parameters; after backward(), step()
// updates what the loss reached and clears the gradients.
#pragma once

#include <memory>

#include "gradus/optim/arena.h"

namespace gradus {

// Biases and norms do not decay, as in Google's and Hugging Face's recipes.
inline const std::vector<std::string> no_decay_by_default = {
    "*bias", "*LayerNorm*", "*layer_norm*", "*_norm.*", "*.norm.*", "norm.*"};

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One update. max_norm > 0 scales the gradients so that their global norm is at most that
  // (applied as they are read; nothing is written for it). Returns the norm before clipping. A norm
  // that is not finite changes nothing and is an Error (exit code 1) that names the parameters.
  double step(double max_norm = 0);
  void clear_gradients() { arena_.clear_gradients(); }
  // For the loss that step() would follow: an Error (exit code 1) where it is not finite.
  void require_finite(double loss) const;

  void set_learning_rate(double rate) { learning_rate_ = rate; }
  double learning_rate() const { return learning_rate_; }
  int64_t steps() const { return steps_; }
  ParameterArena& arena() { return arena_; }
  // The buffers beside the parameters (moments), one element a parameter's element: what a
  // checkpoint must hold, with steps().
  virtual std::vector<std::pair<std::string, Tensor>> state() = 0;

 protected:
  Optimizer(const std::vector<Parameter>& list, double learning_rate,
            const std::vector<std::string>& no_decay)
      : arena_(list, no_decay), learning_rate_(learning_rate) {}
  virtual void update(double gradient_scale) = 0;  // steps_ already counts this step
  ParameterArena arena_;
  double learning_rate_;
  int64_t steps_ = 0;
};

struct AdamWOptions {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0.01;
  bool bias_correction = true;
  std::vector<std::string> no_decay = no_decay_by_default;
  // Google's optimization.py: epsilon 1e-6 and no bias correction. For a constant gradient its
  // first steps are 3 to 6 times as long.
  static AdamWOptions google() {
    AdamWOptions options;
    options.epsilon = 1e-6;
    options.bias_correction = false;
    return options;
  }
};

// Loshchilov and Hutter 2019, algorithm 2: decay is decoupled from the gradient.
class AdamW : public Optimizer {
 public:
  AdamW(const std::vector<Parameter>& list, AdamWOptions options = {});
  template <class Layer>
  requires requires(Layer& layer, Parts& p) { layer.parts(p); }
  explicit AdamW(Layer& model, AdamWOptions options = {})
      : AdamW(parameters(model), std::move(options)) {}
  std::vector<std::pair<std::string, Tensor>> state() override { return {{"m", m_}, {"v", v_}}; }

 private:
  void update(double gradient_scale) override;
  AdamWOptions options_;
  Tensor m_, v_;
};

struct LambOptions {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, weight_decay = 0.01;
  bool bias_correction = true;
  std::vector<std::string> no_decay = no_decay_by_default;
};

// You et al. 2020 (arXiv 1904.00962), algorithm 2: Adam's update u (with decay in it), scaled for
// each parameter by its trust ratio |p| / |u|, for large batches.
//  u = m' / (sqrt(v') + epsilon) + decay p;  p -= learning_rate |p| / |u| u  (the ratio is 1 where either norm is 0)
// Parameters that do not decay (biases, norms) keep the ratio 1, as in Google's and NVIDIA's
// programs. Query, key and value are parameters of their own.
class Lamb : public Optimizer {
 public:
  Lamb(const std::vector<Parameter>& list, LambOptions options = {});
  template <class Layer>
  requires requires(Layer& layer, Parts& p) { layer.parts(p); }
  explicit Lamb(Layer& model, LambOptions options = {})
      : Lamb(parameters(model), std::move(options)) {}
  std::vector<std::pair<std::string, Tensor>> state() override { return {{"m", m_}, {"v", v_}}; }

 private:
  void update(double gradient_scale) override;
  LambOptions options_;
  Tensor m_, v_, u_;
};

struct SgdOptions {
  // decay is added to the gradient, as in PyTorch's SGD
  double learning_rate = 1e-2, momentum = 0, weight_decay = 0;
  std::vector<std::string> no_decay = no_decay_by_default;
};

// u = momentum u + g + decay p;  p -= learning_rate u.
class Sgd : public Optimizer {
 public:
  Sgd(const std::vector<Parameter>& list, SgdOptions options = {});
  template <class Layer>
  requires requires(Layer& layer, Parts& p) { layer.parts(p); }
  explicit Sgd(Layer& model, SgdOptions options = {})
      : Sgd(parameters(model), std::move(options)) {}
  std::vector<std::pair<std::string, Tensor>> state() override { return {{"u", u_}}; }

 private:
  void update(double gradient_scale) override;
  SgdOptions options_;
  Tensor u_;
};

// By the name that the command line takes: adamw, google, lamb, sgd (momentum 0.9); an unknown one
// is an Error that lists them.
std::unique_ptr<Optimizer> make_optimizer(const std::string& name,
                                          const std::vector<Parameter>& list, double learning_rate,
                                          double weight_decay);
void check_optimizer_name(const std::string& name);

}  // namespace gradus
