// Low-rank adapters (Hu et al. 2022, LoRA): a frozen weight W [out, in] is used as W + (alpha /
// rank) B A, of which A [rank, in] and B [out, rank] alone are trained. They act on any model that
// lists its parts, from outside: inside a scope, the model's weights are the sums.
//
//   LoraAdapters adapters(model,
//                         {.rank = 8,
//                          .targets = {"*query.weight", "*value.weight"},
//                          .also_trained = {"classifier*"}},
//                         seed);
//   AdamW optimizer(adapters.trained(), …);
//   { const LoraAdapters::Attached scope(adapters);  backward(loss(model)); }
//
// Targets are parameters, which may be ranges of a leaf (BERT's query in the leaf of query, key and
// value). B begins at zero: the model begins as it was. The model must stay where it is while
// adapters refer to it, and is left frozen but for `also_trained`.
#pragma once

#include <optional>

#include "gradus/nn/parts.h"

namespace gradus {

struct LoraOptions {
  int64_t rank = 8;
  double alpha = 16;
  std::vector<std::string> targets, also_trained;  // patterns of names
};

class LoraAdapters {
 public:
  struct Adapter {
    std::string name;  // the target's, without ".weight"
    Tensor a, b;       // [rank, in], [out, rank]
    size_t target;     // its number in the model's list
  };

  // Errors: a pattern that matches no parameter, a target that is no matrix, a rank below 1.
  template <class Layer>
  requires requires(Layer& layer, Parts& p) { layer.parts(p); }
  LoraAdapters(Layer& model, LoraOptions options, uint64_t seed) : options_(std::move(options)) {
    model.parts(parts_);
    begin(seed);
  }

  // "NAME.lora_A.weight", "NAME.lora_B.weight", and also_trained
  std::vector<Parameter> trained() const;
  // the model's list with the sums in place of the targets, in memory of their own
  std::vector<Parameter> merged() const;
  const std::vector<Adapter>& adapters() const { return adapters_; }
  // the model's own parameters; outside of a scope without what is added
  const std::vector<Parameter>& model() const { return parts_.list; }
  const LoraOptions& options() const { return options_; }

  class Attached {
   public:
    explicit Attached(const LoraAdapters& adapters);
    explicit Attached(const std::optional<LoraAdapters>& adapters) {
      if (adapters) attach(*adapters);
    }  // none: does nothing
    ~Attached();
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;

   private:
    void attach(const LoraAdapters& adapters);
    std::vector<std::pair<Tensor*, Tensor>> before_;
  };

 private:
  void begin(uint64_t seed);
  Tensor sum(const Tensor& leaf) const;  // the leaf with all adapters that are on its rows
  LoraOptions options_;
  Parts parts_;
  std::vector<Adapter> adapters_;
};

}  // namespace gradus
