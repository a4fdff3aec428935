/// One AVX2 vector of 8 int32 sums. Pairs of int16 activations meet pairs of weights widened to int16: `vpmaddubsw` on bytes
/// would be twice as fast and saturates, so its sums would not be those of the other sets.
#pragma once
#include "vector__avx2.h"

typedef __m256i vi;
typedef __m256i vi_activation;
typedef __m256i vi_weight;
#define VI_ACTIVATION_BYTES 2

SINEW_TARGET_PUSH
#include "../templates/quantise_limits.h"
SINEW_INLINE vi vi_set1(int32_t x) { return _mm256_set1_epi32(x); }
SINEW_INLINE vi vi_load(const int32_t *p) { return _mm256_loadu_si256((const __m256i_u *)p); }
SINEW_INLINE vi vi_mul(vi a, vi b) { return _mm256_mullo_epi32(a, b); }
SINEW_INLINE vf vi_to_float(vi x) { return _mm256_cvtepi32_ps(x); }
SINEW_INLINE vi_activation vi_broadcast(const char *p) {
    int32_t pair;
    __builtin_memcpy(&pair, p, sizeof pair);
    return _mm256_set1_epi32(pair);
}
SINEW_INLINE void vi_load_row(const int8_t *p, vi_weight *w) {
    SINEW_UNROLL for (size_t v = 0; v < 2; v++) w[v] = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i_u *)(p + 16 * v)));
}
SINEW_INLINE vi vi_dot(vi sum, vi_activation a, vi_weight w) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, w)); }
SINEW_INLINE void vq_store(void *q, size_t index, vf scaled, int32_t zero) {
    const __m256i value = _mm256_min_epi32(_mm256_cvtps_epi32(scaled), _mm256_set1_epi32(255 - zero));
    const __m128i narrow = _mm_packs_epi32(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
    _mm_storeu_si128((__m128i_u *)((int16_t *)q + index), narrow);
}
#define VQ_STORED_ZERO(zero) 0
SINEW_TARGET_POP
