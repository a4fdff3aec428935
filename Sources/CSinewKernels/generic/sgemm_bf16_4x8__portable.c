// The oracle for bfloat16 weights. A vector has one lane here, so the columns of a micropanel lie in their natural order.
#include "vector__portable.h"
#include <assert.h>

static float widen(uint16_t half) {
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

void sinew_sgemm_bf16_4x8__portable(const sinew_product *x, const uint16_t *panels) {
    assert(x->rows >= 1 && x->columns >= 1 && x->depth >= 1);
    for (size_t column = 0; column < x->columns; column += 8) {
        const size_t n = x->columns - column < 8 ? x->columns - column : 8;
        const size_t width = column + 8 < x->columns ? 8 : x->last_width;
        const uint16_t *panel = panels + column / 8 * x->panel_stride;
        for (size_t i = 0; i < x->rows; i++) {
            float acc[8], *c = x->c + i * x->c_stride + column;
            for (size_t j = 0; j < n; j++) acc[j] = x->accumulate ? c[j] : x->bias[column + j];
            for (size_t p = 0; p < x->depth; p++) {
                const float value = x->a[i * x->a_stride + p];
                for (size_t j = 0; j < n; j++) acc[j] += value * widen(panel[p * width + j]);
            }
            for (size_t j = 0; j < n; j++) c[j] = v_activate(acc[j], x->activation);
        }
    }
}
