// Watch: an observer for gradcheck. It keeps what every recorded op was given and returned, forward
// and backward (what ops call inside of their forward is their own affair), and notices what no
// number of a gradient shows: an op that writes into an input or into the dy it was given, an op in
// f32, a backward whose results cannot be differentiated again.
#pragma once

#include <unordered_map>

#include "gradus/autograd/observer.h"

namespace gradus {

bool same_bits(const Tensor& a, const Tensor& b);  // shape, dtype and every bit of the values

class Watch : public Observer {
 public:
  struct Backward {
    std::shared_ptr<Node> node;
    Tensors inputs, outputs;  // of its forward; empty where that was not seen
    Tensors dys, dxs;
  };

  // From now on, whoever changes x is found: at the next op that is given it, or in changed().
  void keep(const Tensor& x, const std::string& name);
  // Names what was kept under a name and is no longer what it was; empty if all is.
  std::string changed() const;

  const std::vector<Backward>& backwards() const { return backwards_; }
  // that ran forward, those inside of other ops left out
  const std::vector<std::string>& recorded_ops() const { return ops_; }
  // What was noticed, a sentence each; each once.
  const std::vector<std::string>& complaints() const { return complaints_; }
  const std::string& first_f32_op() const { return first_f32_op_; }
  // "what the backward of op at path returned … has no history", if any has none
  const std::string& no_history() const { return no_history_; }

  void forward(const Node& node, Inputs in, const Tensors& out, double) override;
  void backward(const Node& node, const Tensors& dys, const Tensors& dxs, double) override;

 private:
  struct Kept {
    Tensor tensor, copy;
    std::string name;
  };
  bool intact(const Tensor& x);  // and if not, what it is now is kept
  void complain(std::string sentence);

  std::unordered_map<const TensorImpl*, Kept> kept_;
  std::unordered_map<const Node*, std::pair<Tensors, Tensors>> forwards_;
  std::vector<Backward> backwards_;
  std::vector<std::string> ops_, complaints_;
  std::string first_f32_op_, no_history_;
};

// "wrong_linear at encoder.layer.0"
std::string where(const Node& node);

}  // namespace gradus
