// What ModernBERT (Warner et al. 2024, arXiv 2412.13663) does otherwise than BERT. A BertConfig
// that has it describes a ModernBERT: norms before what they feed, rotary positions in place of
// learned ones, GeGLU, no biases, layers that see only their neighbourhood; no token types, no
// pooler and no next-sentence head. Names are those of its config.json.
#pragma once

#include <cstdint>

namespace gradus {

struct ModernBert {
  double global_rope_theta = 160000, local_rope_theta = 10000;
  // Local layers, all but every so many-th from the first on, see local_attention / 2 tokens to
  // either side.
  int64_t global_attn_every_n_layers = 3, local_attention = 128;
  // of the projections in attention, the feed-forward network, the norms, the dense layer of the
  // prediction head
  bool attention_bias = false, mlp_bias = false, norm_bias = false, classifier_bias = false;
  bool mean_pooling = false;  // classifier_pooling: mean over the tokens; otherwise the first one's
};

}  // namespace gradus
