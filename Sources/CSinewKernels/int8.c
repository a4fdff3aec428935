// Compiled without any ISA flag: this file must run on every machine.
#include "include/sinew_int8.h"
#include "internal.h"
#include <assert.h>

#define SINEW_INT8_KERNEL_SET(isa, rows, columns, depth, bytes)                                                        \
    {                                                                                                                  \
        .mr = rows, .nr = columns, .group = depth, .activation_bytes = bytes,                                          \
        .quantise_row = sinew_quantise_row__##isa, .igemm_ukr = sinew_igemm_ukr_##rows##x##columns##__##isa,           \
    }

static const sinew_int8_kernel_set portable = SINEW_INT8_KERNEL_SET(portable, 4, 8, 1, 2);
#if defined(__x86_64__)
static const sinew_int8_kernel_set avx2 = SINEW_INT8_KERNEL_SET(avx2, 6, 16, 2, 2);
static const sinew_int8_kernel_set avx512vnni = SINEW_INT8_KERNEL_SET(avx512vnni, 14, 32, 4, 1);
#endif
#if defined(__aarch64__)
static const sinew_int8_kernel_set neon = SINEW_INT8_KERNEL_SET(neon, 6, 16, 1, 2);
#endif

const sinew_int8_kernel_set *sinew_int8_kernels(sinew_isa isa) {
    if (sinew_kernels(isa) == NULL) return NULL;
    switch (isa) {
#if defined(__x86_64__)
    case SINEW_ISA_AVX512:
        return __builtin_cpu_supports("avx512vnni") ? &avx512vnni : &avx2;
    case SINEW_ISA_AVX2:
        return &avx2;
#endif
#if defined(__aarch64__)
    case SINEW_ISA_NEON:
        return &neon;
#endif
    default:
        return &portable;
    }
}

/// Rows that are quantised together: a multiple of every MR, and at K = 512 they take half of a 128 KiB scratch.
#define SINEW_INT8_ROWS_MAX 252
#define SINEW_INT8_SCRATCH_BYTES 131072

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

void sinew_int8_multiply(
    const sinew_int8_kernel_set *set, const sinew_int8_weights *weights, size_t rows, size_t k, size_t first, size_t n,
    const float *a, size_t lda, float *c, size_t ldc, sinew_activation activation) {
    assert(weights->inputs <= SINEW_INT8_INPUTS_MAX && k >= 1 && k <= weights->inputs && first % set->nr == 0);
    _Alignas(64) char scratch[SINEW_INT8_SCRATCH_BYTES];
    sinew_int8_row scales[SINEW_INT8_ROWS_MAX];
    const size_t groups = (weights->inputs + set->group - 1) / set->group;
    // Whole vectors of every set, and at least the groups that the tiles read.
    const size_t padded = (weights->inputs + 15) / 16 * 16;
    const size_t stride = padded * set->activation_bytes;
    size_t block = smaller(SINEW_INT8_ROWS_MAX, SINEW_INT8_SCRATCH_BYTES / stride);
    if (block > set->mr) block = block / set->mr * set->mr;
    const size_t panel = groups * set->nr * set->group;
    for (size_t start = 0; start < rows; start += block) {
        const size_t end = smaller(rows, start + block);
        for (size_t row = start; row < end; row++) {
            set->quantise_row(k, padded, a + row * lda, scratch + (row - start) * stride, &scales[row - start]);
        }
        for (size_t column = 0; column < n; column += set->nr) {
            const size_t at = first + column;
            const int8_t *b = weights->panels + at / set->nr * panel;
            for (size_t row = start; row < end; row += set->mr) {
                set->igemm_ukr(
                    smaller(set->mr, end - row), smaller(set->nr, n - column), groups, scratch + (row - start) * stride,
                    stride, &scales[row - start], b, weights->scales + at, weights->sums + at, weights->bias + at,
                    c + row * ldc + column, ldc, activation);
            }
        }
    }
}
