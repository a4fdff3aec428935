/// One AVX-512 vector of 16 floats, the operations templates/vector_math.h asks for.
#pragma once
#include "../internal.h"
#include "../templates/inline.h"
#include <immintrin.h>

#define SINEW_TARGET_PUSH                                                                                              \
    _Pragma("clang attribute push(__attribute__((target(\"avx512f,avx512dq,avx2,fma\"))), apply_to = function)")
#define SINEW_TARGET_POP _Pragma("clang attribute pop")

typedef __m512 vf;
#define VF_LANES ((size_t)16)

SINEW_TARGET_PUSH
SINEW_INLINE vf vf_set1(float x) { return _mm512_set1_ps(x); }
SINEW_INLINE vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
/// 32 bfloat16 values of two interleaved vectors.
SINEW_INLINE void vf_load_bf16(const uint16_t *p, vf *first, vf *second) {
    const __m512i pairs = _mm512_loadu_si512(p);
    *first = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    *second = _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32((int)0xFFFF0000u)));
}
SINEW_INLINE void vf_store(float *p, vf x) { _mm512_storeu_ps(p, x); }
/// `count` in 0…16; lanes past it are zero and are not read.
SINEW_INLINE __mmask16 vf_first(size_t count) { return (__mmask16)((1u << count) - 1u); }
SINEW_INLINE vf vf_load_first(const float *p, size_t count) { return _mm512_maskz_loadu_ps(vf_first(count), p); }
SINEW_INLINE void vf_store_first(float *p, size_t count, vf x) { _mm512_mask_storeu_ps(p, vf_first(count), x); }
SINEW_INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
SINEW_INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
SINEW_INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
SINEW_INLINE vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
SINEW_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
/// The lower half of a vector: half the work where the processor splits vectors of this width.
#define VF_HALF ((size_t)8)
SINEW_INLINE vf vf_load_half(const float *p) { return _mm512_castps256_ps512(_mm256_loadu_ps(p)); }
/// The upper half of the result is undefined.
SINEW_INLINE vf vf_fma_half(vf a, vf b, vf c) {
    return _mm512_castps256_ps512(
        _mm256_fmadd_ps(_mm512_castps512_ps256(a), _mm512_castps512_ps256(b), _mm512_castps512_ps256(c)));
}
SINEW_INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
SINEW_INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
SINEW_INLINE vf vf_round(vf x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
SINEW_INLINE vf vf_pow2(vf n) {
    const __m512i biased = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(biased, 23));
}
SINEW_INLINE vf vf_abs(vf x) { return _mm512_abs_ps(x); }
SINEW_INLINE vf vf_copysign(vf magnitude, vf sign) {
    const vf bit = _mm512_set1_ps(-0.0f);
    return _mm512_or_ps(_mm512_andnot_ps(bit, magnitude), _mm512_and_ps(bit, sign));
}
SINEW_INLINE vf vf_select_less(vf x, vf y, vf a, vf b) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, y, _CMP_LT_OQ), b, a);
}
#include "../templates/vector_math.h"
#include "../templates/elementwise.h"
SINEW_TARGET_POP
