/// A “vector” of one float in plain C, the operations templates/vector_math.h asks for.
#pragma once
#include "../internal.h"
#include "../templates/inline.h"
#include <stdint.h>

typedef float vf;
#define VF_LANES ((size_t)1)

SINEW_INLINE vf vf_set1(float x) { return x; }
SINEW_INLINE vf vf_load(const float *p) { return *p; }
SINEW_INLINE void vf_store(float *p, vf x) { *p = x; }
/// A tail of a one-lane vector is never partly full.
SINEW_INLINE vf vf_load_first(const float *p, size_t count) { return count == 0 ? 0.0f : *p; }
SINEW_INLINE void vf_store_first(float *p, size_t count, vf x) { if (count != 0) *p = x; }
SINEW_INLINE vf vf_add(vf a, vf b) { return a + b; }
SINEW_INLINE vf vf_sub(vf a, vf b) { return a - b; }
SINEW_INLINE vf vf_mul(vf a, vf b) { return a * b; }
SINEW_INLINE vf vf_div(vf a, vf b) { return a / b; }
/// Not fused: `fmaf` is a slow library call on machines without the instruction.
SINEW_INLINE vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
SINEW_INLINE vf vf_min(vf a, vf b) { return a < b ? a : b; }
SINEW_INLINE vf vf_max(vf a, vf b) { return a > b ? a : b; }
/// Round to nearest by adding and taking away 1.5 · 2^23; right for magnitudes below 2^22, and NaN stays NaN.
SINEW_INLINE vf vf_round(vf x) { return (x + 12582912.0f) - 12582912.0f; }
SINEW_INLINE vf vf_pow2(vf n) {
    // A NaN has no integer; 2^0 will do, because the other factor is the NaN.
    const uint32_t bits = (uint32_t)((n == n ? (int32_t)n : 0) + 127) << 23;
    float y;
    __builtin_memcpy(&y, &bits, sizeof y);
    return y;
}
SINEW_INLINE vf vf_abs(vf x) { return __builtin_fabsf(x); }
SINEW_INLINE vf vf_copysign(vf magnitude, vf sign) { return __builtin_copysignf(magnitude, sign); }
SINEW_INLINE vf vf_select_less(vf x, vf y, vf a, vf b) { return x < y ? a : b; }
#include "../templates/vector_math.h"
#include "../templates/elementwise.h"
