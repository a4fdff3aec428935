/// One AVX2 vector of 8 floats, the operations templates/vector_math.h asks for.
#pragma once
#include "../internal.h"
#include "../templates/inline.h"
#include <immintrin.h>

#define SINEW_TARGET_PUSH _Pragma("clang attribute push(__attribute__((target(\"avx2,fma\"))), apply_to = function)")
#define SINEW_TARGET_POP _Pragma("clang attribute pop")

typedef __m256 vf;
#define VF_LANES ((size_t)8)

SINEW_TARGET_PUSH
SINEW_INLINE vf vf_set1(float x) { return _mm256_set1_ps(x); }
SINEW_INLINE vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
/// 16 bfloat16 values of two interleaved vectors.
SINEW_INLINE void vf_load_bf16(const uint16_t *p, vf *first, vf *second) {
    const __m256i pairs = _mm256_loadu_si256((const __m256i_u *)p);
    *first = _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
    *second = _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int)0xFFFF0000u)));
}
SINEW_INLINE void vf_store(float *p, vf x) { _mm256_storeu_ps(p, x); }
/// `count` in 0…8; lanes past it are zero and are not read.
SINEW_INLINE __m256i vf_first(size_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
SINEW_INLINE vf vf_load_first(const float *p, size_t count) { return _mm256_maskload_ps(p, vf_first(count)); }
SINEW_INLINE void vf_store_first(float *p, size_t count, vf x) { _mm256_maskstore_ps(p, vf_first(count), x); }
SINEW_INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
SINEW_INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
SINEW_INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
SINEW_INLINE vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
SINEW_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
SINEW_INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
SINEW_INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
SINEW_INLINE vf vf_round(vf x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
SINEW_INLINE vf vf_pow2(vf n) {
    const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
}
SINEW_INLINE vf vf_abs(vf x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
SINEW_INLINE vf vf_copysign(vf magnitude, vf sign) {
    const vf bit = _mm256_set1_ps(-0.0f);
    return _mm256_or_ps(_mm256_andnot_ps(bit, magnitude), _mm256_and_ps(bit, sign));
}
SINEW_INLINE vf vf_select_less(vf x, vf y, vf a, vf b) { return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, y, _CMP_LT_OQ)); }
#include "../templates/vector_math.h"
#include "../templates/elementwise.h"
SINEW_TARGET_POP
