// The matrix products of BERT training steps: 4096 tokens (614 predicted ones for the decoder), and
// small batches. For bench/kernels and tests/kernels.
#pragma once

#include <cstdint>

namespace gradus {

struct GemmShape {
  const char* name;
  int64_t m, n, k;
  bool transpose_a, transpose_b;
};

constexpr GemmShape kGemmShapes[] = {
    {"base ffn1", 4096, 3072, 768, false, true},
    {"base qkv", 4096, 2304, 768, false, true},
    {"base dX", 4096, 768, 3072, false, false},
    {"base dW", 3072, 768, 4096, true, false},
    {"base proj", 4096, 768, 768, false, true},
    {"base proj dW", 768, 768, 4096, true, false},
    {"small ffn", 4096, 2048, 512, false, true},
    {"small proj", 4096, 512, 512, false, true},
    {"small dW", 512, 512, 4096, true, false},
    {"mini ffn", 4096, 1024, 256, false, true},
    {"mini dX", 4096, 256, 1024, false, false},
    {"mini dW", 1024, 256, 4096, true, false},
    {"mini proj", 4096, 256, 256, false, true},
    {"mini proj dW", 256, 256, 4096, true, false},
    {"tiny ffn", 4096, 512, 128, false, true},
    {"tiny qkv", 4096, 384, 128, false, true},
    {"tiny proj", 4096, 128, 128, false, true},
    {"tiny dX", 4096, 128, 512, false, false},
    {"tiny dW", 512, 128, 4096, true, false},
    {"tiny dW 2", 128, 512, 4096, true, false},
    {"tiny proj dW", 128, 128, 4096, true, false},
    {"tiny decoder", 614, 30522, 128, false, true},
    {"tiny decoder dX", 614, 128, 30522, false, false},
    {"tiny decoder dE", 30522, 128, 614, true, false},
    {"base decoder", 614, 30522, 768, false, true},
    {"base decoder dX", 614, 768, 30522, false, false},
    {"base decoder dE", 30522, 768, 614, true, false},
    {"base 256 ffn", 256, 3072, 768, false, true},
    {"base 256 proj", 256, 768, 768, false, true},
    {"base 256 dW", 3072, 768, 256, true, false},
    {"base 512 ffn2", 512, 768, 3072, false, true},
    {"mini 256 ffn", 256, 1024, 256, false, true},
    {"mini 256 proj", 256, 256, 256, false, true},
    {"tiny 256 ffn", 256, 512, 128, false, true},
    {"tiny 256 proj", 256, 128, 128, false, true},
    {"pooler", 32, 768, 768, false, true},
    {"two logits", 32, 2, 768, false, true},
};

}  // namespace gradus
