/// One int32 sum in plain C, the operations templates/igemm_ukr.h and templates/quantise_row.h ask for. Activations are int16
/// values without zero point, as in every set but VNNI.
#pragma once
#include "vector__portable.h"
#include "../templates/quantise_limits.h"

typedef int32_t vi;
typedef int32_t vi_activation;
typedef int32_t vi_weight;
#define VI_ACTIVATION_BYTES 2

SINEW_INLINE vi vi_set1(int32_t x) { return x; }
SINEW_INLINE vi vi_load(const int32_t *p) { return *p; }
SINEW_INLINE vi vi_mul(vi a, vi b) { return a * b; }
SINEW_INLINE vf vi_to_float(vi x) { return (float)x; }
SINEW_INLINE vi_activation vi_broadcast(const char *p) {
    int16_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
}
SINEW_INLINE void vi_load_row(const int8_t *p, vi_weight *w) { for (size_t v = 0; v < 8; v++) w[v] = p[v]; }
SINEW_INLINE vi vi_dot(vi sum, vi_activation a, vi_weight w) { return sum + a * w; }
SINEW_INLINE void vq_store(void *q, size_t index, vf scaled, int32_t zero) {
    const vf rounded = vf_round(scaled);
    // A NaN has no integer; the scale of its row says what it was.
    int32_t value = rounded == rounded ? (int32_t)rounded : 0;
    if (value > 255 - zero) value = 255 - zero;
    ((int16_t *)q)[index] = (int16_t)value;
}
#define VQ_STORED_ZERO(zero) 0
