/// One AVX-512 vector of 16 int32 sums. `vpdpbusd` adds four products of activations 0…255 and weights −127…127 to each sum
/// without saturation.
#pragma once
#include "vector__avx512.h"

#define SINEW_TARGET_PUSH_VNNI                                                                                         \
    _Pragma("clang attribute push(__attribute__((target(\"avx512f,avx512dq,avx512vnni,avx2,fma\"))), apply_to = function)")

typedef __m512i vi;
typedef __m512i vi_activation;
typedef __m512i vi_weight;
#define VI_ACTIVATION_BYTES 1

SINEW_TARGET_PUSH_VNNI
SINEW_INLINE vi vi_set1(int32_t x) { return _mm512_set1_epi32(x); }
SINEW_INLINE vi vi_load(const int32_t *p) { return _mm512_loadu_si512(p); }
SINEW_INLINE vi vi_mul(vi a, vi b) { return _mm512_mullo_epi32(a, b); }
SINEW_INLINE vf vi_to_float(vi x) { return _mm512_cvtepi32_ps(x); }
SINEW_INLINE vi_activation vi_broadcast(const char *p) {
    int32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
}
SINEW_INLINE void vi_load_row(const int8_t *p, vi_weight *w) {
    SINEW_UNROLL for (size_t v = 0; v < 2; v++) w[v] = _mm512_loadu_si512(p + 64 * v);
}
SINEW_INLINE vi vi_dot(vi sum, vi_activation a, vi_weight w) { return _mm512_dpbusd_epi32(sum, a, w); }
SINEW_INLINE void vq_limits(vf low, vf high, vf poison, float *min, float *max, float *broken) {
    *min = _mm512_reduce_min_ps(low);
    *max = _mm512_reduce_max_ps(high);
    *broken = _mm512_reduce_add_ps(poison);
}
SINEW_INLINE void vq_store(void *q, size_t index, vf scaled, int32_t zero) {
    const __m512i value = _mm512_add_epi32(_mm512_cvtps_epi32(scaled), _mm512_set1_epi32(zero));
    _mm_storeu_si128((__m128i_u *)((uint8_t *)q + index), _mm512_cvtusepi32_epi8(value));
}
#define VQ_STORED_ZERO(zero) (zero)
SINEW_TARGET_POP
