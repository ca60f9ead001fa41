// What the tensors of a BERT or ModernBERT are called: today's names of `transformers`, older
// files' names and Google's variables.
#pragma once

#include <string>

namespace gradus {

struct WeightName {
  // "bert.encoder.layer.0.output.dense.weight"; empty for what is no weight
  std::string today;
  bool transposed = false;  // TensorFlow keeps kernels [in, out], PyTorch [out, in]
  std::string reason;       // why it is no weight
};

// Of a file of PyTorch or safetensors: LayerNorm.gamma and .beta became weight and bias (only
// there: other models have a gamma of their own); position_ids was a buffer.
WeightName from_torch(const std::string& name);

// Of a variable of google-research/bert. Its span head (cls/squad) is qa_outputs, its classifier
// (output_weights) is classifier. The optimizer's slots and the step counter are no weights. A
// variable of TensorFlow 2's object-based checkpoints is an Error.
WeightName from_tensorflow(const std::string& name, const std::string& origin);

// Without the prefix, bert. or model., that a body saved by itself does not have.
std::string without_prefix(const std::string& name);

// Of a name without prefix.
// embeddings and encoder: what a checkpoint must have to be one of the model
bool belongs_to_body(const std::string& plain);
bool belongs_to_bert(const std::string& plain);  // body, pooler or one of the heads

}  // namespace gradus
