/// One NEON vector of 4 int32 sums: int16 activations and weights widened to int16, which every 64-bit ARM can multiply.
#pragma once
#include "vector__neon.h"
#include "../templates/quantise_limits.h"

typedef int32x4_t vi;
typedef int16x4_t vi_activation;
typedef int16x4_t vi_weight;
#define VI_ACTIVATION_BYTES 2

SINEW_INLINE vi vi_set1(int32_t x) { return vdupq_n_s32(x); }
SINEW_INLINE vi vi_load(const int32_t *p) { return vld1q_s32(p); }
SINEW_INLINE vi vi_mul(vi a, vi b) { return vmulq_s32(a, b); }
SINEW_INLINE vf vi_to_float(vi x) { return vcvtq_f32_s32(x); }
SINEW_INLINE vi_activation vi_broadcast(const char *p) {
    int16_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return vdup_n_s16(value);
}
SINEW_INLINE void vi_load_row(const int8_t *p, vi_weight *w) {
    const int8x16_t row = vld1q_s8(p);
    const int16x8_t low = vmovl_s8(vget_low_s8(row)), high = vmovl_s8(vget_high_s8(row));
    w[0] = vget_low_s16(low), w[1] = vget_high_s16(low), w[2] = vget_low_s16(high), w[3] = vget_high_s16(high);
}
SINEW_INLINE vi vi_dot(vi sum, vi_activation a, vi_weight w) { return vmlal_s16(sum, w, a); }
SINEW_INLINE void vq_store(void *q, size_t index, vf scaled, int32_t zero) {
    const int32x4_t value = vminq_s32(vcvtnq_s32_f32(scaled), vdupq_n_s32(255 - zero));
    vst1_s16((int16_t *)q + index, vmovn_s32(value));
}
#define VQ_STORED_ZERO(zero) 0
