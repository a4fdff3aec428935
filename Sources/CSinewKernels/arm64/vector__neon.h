/// One NEON vector of 4 floats, the operations templates/vector_math.h asks for.
#pragma once
#include "../internal.h"
#include "../templates/inline.h"
#include <arm_neon.h>

#define SINEW_TARGET_PUSH
#define SINEW_TARGET_POP

typedef float32x4_t vf;
#define VF_LANES ((size_t)4)

SINEW_INLINE vf vf_set1(float x) { return vdupq_n_f32(x); }
SINEW_INLINE vf vf_load(const float *p) { return vld1q_f32(p); }
/// 8 bfloat16 values of two interleaved vectors.
SINEW_INLINE void vf_load_bf16(const uint16_t *p, vf *first, vf *second) {
    const uint32x4_t pairs = vreinterpretq_u32_u16(vld1q_u16(p));
    *first = vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16));
    *second = vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xFFFF0000u)));
}
SINEW_INLINE void vf_store(float *p, vf x) { vst1q_f32(p, x); }
/// `count` in 0…4; NEON has no masked access, so a tail goes through four floats on the stack.
SINEW_INLINE vf vf_load_first(const float *p, size_t count) {
    float lanes[4] = {0, 0, 0, 0};
    __builtin_memcpy(lanes, p, count * sizeof(float));
    return vld1q_f32(lanes);
}
SINEW_INLINE void vf_store_first(float *p, size_t count, vf x) {
    float lanes[4];
    vst1q_f32(lanes, x);
    __builtin_memcpy(p, lanes, count * sizeof(float));
}
SINEW_INLINE vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
SINEW_INLINE vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
SINEW_INLINE vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
SINEW_INLINE vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
SINEW_INLINE vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
SINEW_INLINE vf vf_min(vf a, vf b) { return vminq_f32(a, b); }
SINEW_INLINE vf vf_max(vf a, vf b) { return vmaxq_f32(a, b); }
SINEW_INLINE vf vf_round(vf x) { return vrndnq_f32(x); }
SINEW_INLINE vf vf_pow2(vf n) {
    const int32x4_t biased = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));
    return vreinterpretq_f32_s32(vshlq_n_s32(biased, 23));
}
SINEW_INLINE vf vf_abs(vf x) { return vabsq_f32(x); }
SINEW_INLINE vf vf_copysign(vf magnitude, vf sign) { return vbslq_f32(vdupq_n_u32(0x80000000u), sign, magnitude); }
SINEW_INLINE vf vf_select_less(vf x, vf y, vf a, vf b) { return vbslq_f32(vcltq_f32(x, y), a, b); }
#include "../templates/vector_math.h"
#include "../templates/elementwise.h"
