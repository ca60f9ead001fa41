// Philox4x32-10: a counter-based random number generator (Salmon et al. 2011, "Parallel random
// numbers: as easy as 1, 2, 3"). Four 32-bit words are a function of a 128-bit counter and a 64-bit
// key: no state, so no order, no threads, nothing to store. This is the scalar definition; kernels
// that fill rows use the same rounds on vectors and are tested against it. A kernel header: C only.
#pragma once

#include <stdint.h>

typedef struct {
  uint32_t word[4];
} PhiloxWords;

static inline PhiloxWords philox(PhiloxWords counter, uint64_t key) {
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = (uint64_t)0xD2511F53u * counter.word[0],
                   p1 = (uint64_t)0xCD9E8D57u * counter.word[2];
    const PhiloxWords next = {{(uint32_t)(p1 >> 32) ^ counter.word[1] ^ k0, (uint32_t)p1,
                               (uint32_t)(p0 >> 32) ^ counter.word[3] ^ k1, (uint32_t)p0}};
    counter = next;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return counter;
}
