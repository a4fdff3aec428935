// The oracle for bfloat16 weights. A vector has one lane here, so the columns of a micropanel lie in their natural order.
#include "vector__portable.h"
#include <assert.h>

static float widen(uint16_t half) {
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

void sinew_sgemm_bf16_ukr_4x8__portable(
    size_t m, size_t n, size_t k, const float *a, size_t lda, const uint16_t *b, const float *bias, float *c,
    size_t ldc, bool accumulate, sinew_activation activation) {
    assert(m >= 1 && m <= 4 && n >= 1 && n <= 8 && k >= 1);
    for (size_t i = 0; i < m; i++) {
        float acc[8];
        for (size_t j = 0; j < 8; j++) acc[j] = accumulate ? (j < n ? c[i * ldc + j] : 0.0f) : bias[j];
        for (size_t p = 0; p < k; p++) {
            const float value = a[i * lda + p];
            for (size_t j = 0; j < 8; j++) acc[j] += value * widen(b[p * 8 + j]);
        }
        for (size_t j = 0; j < n; j++) c[i * ldc + j] = v_activate(acc[j], activation);
    }
}
