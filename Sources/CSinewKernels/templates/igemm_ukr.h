/// The int8 register tile of every instruction set; contract: `sinew_igemm_ukr_function`.
///
/// Define `IGEMM_NAME`, `IGEMM_MR`, `IGEMM_NV` (vectors per row, NR = IGEMM_NV · VF_LANES), `IGEMM_GROUP` (G), `IGEMM_CASES(X)`
/// (X(1) … X(IGEMM_MR)), the types `vi` (VF_LANES int32 sums), `vi_activation` and `vi_weight`, and
/// `vi_set1(int32) vi_load(p) vi_mul(a, b) vi_to_float(x)`, `vi_broadcast(p)` (G quantised activations for every lane),
/// `vi_load_row(p, w)` (one row of a micropanel), `vi_dot(sum, a, w)`; then include under the target attribute.
#include <assert.h>

/// As `UKR_PREFETCH_BYTES` in sgemm_ukr.h, which says how it was found.
#define IGEMM_PREFETCH_BYTES 6144

/// A prefetch never faults, so it may run over the end of the panels; the address is made of integers because a pointer may not.
SINEW_INLINE void igemm_prefetch(const int8_t *b) {
    SINEW_UNROLL for (size_t line = 0; line < IGEMM_NV * VF_LANES * IGEMM_GROUP; line += 64) {
        __builtin_prefetch((const void *)((uintptr_t)b + IGEMM_PREFETCH_BYTES + line), 0, 2);
    }
}

SINEW_INLINE void igemm_tile(
    const size_t count, size_t n, size_t groups, const char *a, size_t lda, const sinew_int8_row *rows, const int8_t *b,
    const float *scales, const int32_t *sums, const float *bias, float *c, size_t ldc, sinew_activation activation) {
    vi acc[IGEMM_MR][IGEMM_NV];
    SINEW_UNROLL for (size_t i = 0; i < count; i++) {
        const vi start = vi_set1(-rows[i].zero);
        SINEW_UNROLL for (size_t v = 0; v < IGEMM_NV; v++) acc[i][v] = vi_mul(start, vi_load(sums + v * VF_LANES));
    }
    for (size_t p = 0; p < groups; p++) {
        vi_weight column[IGEMM_NV];
        igemm_prefetch(b);
        vi_load_row(b, column);
        SINEW_UNROLL for (size_t i = 0; i < count; i++) {
            const vi_activation value = vi_broadcast(a + i * lda);
            SINEW_UNROLL for (size_t v = 0; v < IGEMM_NV; v++) acc[i][v] = vi_dot(acc[i][v], value, column[v]);
        }
        a += VI_ACTIVATION_BYTES * IGEMM_GROUP;
        b += IGEMM_NV * VF_LANES * IGEMM_GROUP;
    }
    SINEW_UNROLL for (size_t v = 0; v < IGEMM_NV; v++) {
        const size_t start = v * VF_LANES;
        const size_t width = n <= start ? 0 : (n - start < VF_LANES ? n - start : VF_LANES);
        const vf scale = vf_load(scales + start), offset = vf_load(bias + start);
        SINEW_UNROLL for (size_t i = 0; i < count; i++) {
            const vf factor = vf_mul(vf_set1(rows[i].scale), scale);
            const vf value = v_activate(vf_add(vf_mul(vi_to_float(acc[i][v]), factor), offset), activation);
            float *at = c + i * ldc + start;
            if (width == VF_LANES) vf_store(at, value);
            else if (width != 0) vf_store_first(at, width, value);
        }
    }
}

void IGEMM_NAME(
    size_t m, size_t n, size_t groups, const void *a, size_t lda, const sinew_int8_row *rows, const int8_t *b,
    const float *scales, const int32_t *sums, const float *bias, float *c, size_t ldc, sinew_activation activation) {
    assert(m >= 1 && m <= IGEMM_MR && n >= 1 && n <= IGEMM_NV * VF_LANES && groups >= 1);
    switch (m) {
#define IGEMM_CASE(count)                                                                                              \
    case count:                                                                                                        \
        igemm_tile(count, n, groups, a, lda, rows, b, scales, sums, bias, c, ldc, activation);                         \
        break;
        IGEMM_CASES(IGEMM_CASE)
#undef IGEMM_CASE
    default:
        break;
    }
}
