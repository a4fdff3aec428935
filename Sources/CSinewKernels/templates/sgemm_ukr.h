/// The register tile of every SIMD instruction set; contracts: `sinew_sgemm_ukr_function`, and with `UKR_BF16` defined
/// `sinew_sgemm_bf16_ukr_function`.
///
/// Define `UKR_NAME`, `UKR_MR`, `UKR_NV` (vectors per row, NR = UKR_NV · VF_LANES) and `UKR_CASES(X)` (X(1) … X(UKR_MR)),
/// then include under the target attribute. Each row count gets its own fully unrolled body, so a short tile costs no more
/// than its rows and every accumulator lives in a register.
#include <assert.h>

#ifdef UKR_BF16
typedef uint16_t ukr_weight;
SINEW_INLINE void ukr_load_row(const ukr_weight *b, vf *column) {
    _Static_assert(UKR_NV % 2 == 0, "bfloat16 rows are pairs of vectors");
    SINEW_UNROLL for (size_t v = 0; v < UKR_NV; v += 2) vf_load_bf16(b + v * VF_LANES, &column[v], &column[v + 1]);
}
#else
typedef float ukr_weight;
SINEW_INLINE void ukr_load_row(const ukr_weight *b, vf *column) {
    SINEW_UNROLL for (size_t v = 0; v < UKR_NV; v++) column[v] = vf_load(b + v * VF_LANES);
}
#endif

/// How far ahead of its use a weight is fetched into L2, over the end of the micropanel into the next. Few rows wait for weights and
/// not for arithmetic, and the hardware stops at every page. Measured with AVX-512 on weights that are larger than L3, as time
/// over that of a plain read in the same run: float weights 0.99 without and 0.81 with it at one row, 1.08 and 0.81 at eight;
/// 4 KiB and 8 KiB are as good, 16 KiB is worse. Where the cache holds the panel, two fetches in 28 multiply-adds cost nothing.
#define UKR_PREFETCH_BYTES 6144

/// A prefetch never faults, so it may run over the end of the panels; the address is made of integers because a pointer may not.
SINEW_INLINE void ukr_prefetch(const ukr_weight *b) {
    SINEW_UNROLL for (size_t line = 0; line < UKR_NV * VF_LANES * sizeof(ukr_weight); line += 64) {
        __builtin_prefetch((const void *)((uintptr_t)b + UKR_PREFETCH_BYTES + line), 0, 2);
    }
}

SINEW_INLINE void ukr_tile(
    const size_t rows, size_t n, size_t k, const float *a, size_t lda, const ukr_weight *b, const float *bias, float *c,
    size_t ldc, bool accumulate, sinew_activation activation) {
    vf acc[UKR_MR][UKR_NV];
    // How many columns of each vector exist; 0 for a vector that lies wholly past n.
    size_t width[UKR_NV];
    SINEW_UNROLL for (size_t v = 0; v < UKR_NV; v++) {
        const size_t start = v * VF_LANES;
        width[v] = n <= start ? 0 : (n - start < VF_LANES ? n - start : VF_LANES);
    }
    if (accumulate) {
        SINEW_UNROLL for (size_t i = 0; i < rows; i++) {
            SINEW_UNROLL for (size_t v = 0; v < UKR_NV; v++) {
                acc[i][v] = vf_load_first(c + i * ldc + v * VF_LANES, width[v]);
            }
        }
    } else {
        SINEW_UNROLL for (size_t v = 0; v < UKR_NV; v++) {
            const vf start = vf_load(bias + v * VF_LANES);
            SINEW_UNROLL for (size_t i = 0; i < rows; i++) acc[i][v] = start;
        }
    }
    for (size_t p = 0; p < k; p++) {
        vf column[UKR_NV];
        ukr_prefetch(b);
        ukr_load_row(b, column);
        SINEW_UNROLL for (size_t i = 0; i < rows; i++) {
            const vf value = vf_set1(a[i * lda]);
            SINEW_UNROLL for (size_t v = 0; v < UKR_NV; v++) acc[i][v] = vf_fma(value, column[v], acc[i][v]);
        }
        a += 1;
        b += UKR_NV * VF_LANES;
    }
    SINEW_UNROLL for (size_t i = 0; i < rows; i++) {
        SINEW_UNROLL for (size_t v = 0; v < UKR_NV; v++) {
            const vf value = v_activate(acc[i][v], activation);
            float *at = c + i * ldc + v * VF_LANES;
            if (width[v] == VF_LANES) vf_store(at, value);
            else if (width[v] != 0) vf_store_first(at, width[v], value);
        }
    }
}

void UKR_NAME(
    size_t m, size_t n, size_t k, const float *a, size_t lda, const ukr_weight *b, const float *bias, float *c,
    size_t ldc, bool accumulate, sinew_activation activation) {
    assert(m >= 1 && m <= UKR_MR && n >= 1 && n <= UKR_NV * VF_LANES && k >= 1);
    switch (m) {
#define UKR_CASE(rows)                                                                                                 \
    case rows:                                                                                                         \
        ukr_tile(rows, n, k, a, lda, b, bias, c, ldc, accumulate, activation);                                         \
        break;
        UKR_CASES(UKR_CASE)
#undef UKR_CASE
    default:
        break;
    }
}
