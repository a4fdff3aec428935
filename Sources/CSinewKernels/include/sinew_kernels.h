/// Compute kernels: they are told, never ask. No allocation, no globals, no threads, no errors; one thread per call.
///
/// Conventions shared by every kernel:
/// - Pointers need only the alignment of `float`; arrays that are written never overlap arrays that are read,
///   unless the contract says so.
/// - Nothing is read or written outside the elements a contract names; tails are masked, never rounded up.
/// - An element's result depends on its own inputs alone: the same operations in the same order, whichever tile, lane or
///   tail it falls into. That is what keeps a person's pose bit for bit the same whoever shares the batch.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Instruction sets, weakest first; a set may be absent from a machine.
typedef enum {
    SINEW_ISA_PORTABLE = 0,
    SINEW_ISA_NEON = 1,
    SINEW_ISA_AVX2 = 2,
    SINEW_ISA_AVX512 = 3,
} sinew_isa;

/// What is applied to a dot product after its bias.
typedef enum {
    SINEW_ACTIVATION_IDENTITY = 0,
    /// `x > 0 ? x : 0.01 x`
    SINEW_ACTIVATION_LEAKY_RELU = 1,
    SINEW_ACTIVATION_TANH = 2,
    /// `x > 0 ? x : 0`
    SINEW_ACTIVATION_RELU = 3,
} sinew_activation;

/// One register tile of `C = activation(A · B + bias)`.
///
/// @param m rows of the tile, 1…MR
/// @param n columns of the tile, 1…NR
/// @param k depth, at least 1
/// @param a `m` rows of `k` floats, `lda` floats apart; not packed, each is read once
/// @param b a micropanel: `k` rows of NR floats, contiguous; columns past `n` are read and must be finite
/// @param bias NR floats; read only where `accumulate` is false
/// @param c `m` rows of `n` floats, `ldc` floats apart; read only where `accumulate` is true
/// @param accumulate start from `c` (a later block of the depth) and not from `bias`
/// @param activation applied to what is stored; pass identity for all but the last block of the depth
///
/// Each element is one chain over the depth in rising order, the same for every tile size; a chain is fused multiply-adds
/// except in the portable kernel, which rounds the product too.
typedef void sinew_sgemm_ukr_function(
    size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, const float *bias, float *c, size_t ldc,
    bool accumulate, sinew_activation activation);

/// The same tile with weights stored as bfloat16: the upper halves of floats.
///
/// As `sinew_sgemm_ukr_function` in everything but `b`: a micropanel of `k` rows of NR bfloat16 values. Within a row the
/// columns lie in groups of two vectors of L = `lanes` values, the two vectors interleaved: column `c` of a group is value
/// `2c` for `c < L` and value `2(c − L) + 1` otherwise, so that a shift widens the first vector and a mask the second.
/// Widening is exact and activations and sums stay float, so the result is bit for bit that of the float tile of the same
/// instruction set with the same rounded weights.
typedef void sinew_sgemm_bf16_ukr_function(
    size_t m, size_t n, size_t k, const float *a, size_t lda, const uint16_t *b, const float *bias, float *c,
    size_t ldc, bool accumulate, sinew_activation activation);

/// The update of an affine coupling, in place: `x[i] ← x[i] · exp(s[i]) + t[i]` for `i < n`.
/// `n` may be 0. `exp` as in `sinew_map_function`'s exponential.
typedef void sinew_coupling_function(size_t n, float *x, const float *s, const float *t);

/// `y[i] ← f(x[i])` for `i < n`; `x == y` is allowed, `n` may be 0.
///
/// - exp: the argument is clamped to [-87, 88]; relative error at most 2^-22 against the exact value of the clamped argument.
/// - tanh: relative error at most 2^-21 for every finite argument; odd, magnitude at most 1.
/// - Both give NaN for NaN.
typedef void sinew_map_function(size_t n, const float *x, float *y);

/// Everything one instruction set offers.
typedef struct {
    /// Lower-case name, static storage.
    const char *name;
    /// Rows of the register tile.
    size_t mr;
    /// Columns of the register tile, also the width of a micropanel.
    size_t nr;
    /// Floats of a vector; decides the order of columns in bfloat16 micropanels.
    size_t lanes;
    sinew_sgemm_ukr_function *sgemm_ukr;
    sinew_sgemm_bf16_ukr_function *sgemm_bf16_ukr;
    /// IK direction: `x · exp(s) + t`.
    sinew_coupling_function *coupling_update;
    /// FK direction: `(x − t) · exp(−s)`.
    sinew_coupling_function *coupling_invert;
    sinew_map_function *exp;
    sinew_map_function *tanh;
} sinew_kernel_set;

/// The kernels of an instruction set, or NULL where this machine (or its operating system) cannot run them.
/// The portable set exists everywhere.
const sinew_kernel_set *sinew_kernels(sinew_isa isa);
