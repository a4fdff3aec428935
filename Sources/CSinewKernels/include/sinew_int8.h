/// Products with int8 weights and activations quantised on the way; the conventions of sinew_kernels.h hold here too.
///
/// Weights have one scale per output and lie in -127…127. Activations have one scale and one zero point per row, taken from
/// the row itself, and lie in 0…255; because the range of a row may be lopsided (LeakyReLU leaves hardly anything below
/// zero), a zero point keeps a bit that a symmetric range would lose. Sums are int32 and exact, so every instruction set
/// gives the same ones, and because quantising and the way back to floats round alike everywhere, the same floats.
#pragma once
#include "sinew_kernels.h"

/// How one row of activations was quantised: `x ≈ scale · (q − zero)`, q in 0…255.
typedef struct {
    /// NaN where the row holds a value that is not finite, 0 where it holds only zeros.
    float scale;
    /// What the products must take off: the zero point, or 0 where the stored values have it taken off already.
    int32_t zero;
} sinew_int8_row;

/// Quantises one row.
///
/// @param k values of the row, at least 1
/// @param padded values to write, a multiple of 16, at least `k`; those past `k` are written as x = 0
/// @param x the row
/// @param q `padded` values in the form of the set: bytes q, or int16 values q − zero
/// @param row scale and zero
///
/// The range is the smallest that holds 0 and the row. With r = max − min: scale = r / 255, q = min(255, round(x · (255 / r))
/// + zero), zero = round(−min · (255 / r)), ties to even; r below 1e-30 counts as 0.
typedef void sinew_quantise_row_function(size_t k, size_t padded, const float *x, void *q, sinew_int8_row *row);

/// One register tile of `C = activation(scale of row · scale of column · Σ (q − zero) · w + bias)`.
///
/// @param m rows of the tile, 1…MR
/// @param n columns of the tile, 1…NR
/// @param groups depth in groups of G inputs, at least 1
/// @param a `m` quantised rows, `lda` bytes apart
/// @param rows `m` scales and zeros
/// @param b a micropanel: `groups` rows of NR columns, contiguous; a column of such a row is G weights side by side
/// @param scales NR floats
/// @param sums NR column sums of the weights
/// @param bias NR floats
/// @param c `m` rows of `n` floats, `ldc` floats apart; never read
///
/// Scales, product, bias and activation round one after the other, nothing is fused.
typedef void sinew_igemm_ukr_function(
    size_t m, size_t n, size_t groups, const void *a, size_t lda, const sinew_int8_row *rows, const int8_t *b,
    const float *scales, const int32_t *sums, const float *bias, float *c, size_t ldc, sinew_activation activation);

/// What one instruction set offers for int8.
typedef struct {
    /// Rows of the register tile.
    size_t mr;
    /// Columns of the register tile, also the width of a micropanel.
    size_t nr;
    /// G: weights of a column that lie side by side.
    size_t group;
    /// Bytes of a quantised activation.
    size_t activation_bytes;
    sinew_quantise_row_function *quantise_row;
    sinew_igemm_ukr_function *igemm_ukr;
} sinew_int8_kernel_set;

/// The int8 kernels of an instruction set, or NULL where this machine cannot run the set. AVX-512 without the VNNI
/// instructions uses the kernels of AVX2.
const sinew_int8_kernel_set *sinew_int8_kernels(sinew_isa isa);

/// Weights as `sinew_int8_multiply` takes them.
typedef struct {
    /// Inputs, K.
    size_t inputs;
    /// Micropanels after each other, each ⌈K / G⌉ · NR · G weights; absent inputs and columns have weight 0.
    const int8_t *panels;
    /// Per column, filled up to whole micropanels.
    const float *scales;
    /// Per column, filled up to whole micropanels.
    const int32_t *sums;
    /// Per column, filled up to whole micropanels.
    const float *bias;
} sinew_int8_weights;

/// The largest K of `sinew_int8_multiply`: its rows must fit into the scratch memory, and sums into 31 bits.
#define SINEW_INT8_INPUTS_MAX 16384

/// `C = activation(A · Wᵀ + bias)` for the columns `first … first + n − 1`; quantises each row of A once.
///
/// @param rows rows of A and C
/// @param k depth, 1…K: further inputs count as 0
/// @param first a multiple of NR
/// @param a `rows` rows of `k` floats, `lda` floats apart
/// @param c `rows` rows of `n` floats, `ldc` floats apart; column `first` of the product is `c[0]`
///
/// Uses 128 KiB of the caller's stack.
void sinew_int8_multiply(
    const sinew_int8_kernel_set *set, const sinew_int8_weights *weights, size_t rows, size_t k, size_t first, size_t n,
    const float *a, size_t lda, float *c, size_t ldc, sinew_activation activation);
