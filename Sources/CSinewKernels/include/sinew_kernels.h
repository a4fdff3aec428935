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

/// What a product `C = activation(A · B + bias)` works on, its weights aside. B is one block of the depth, cut into micropanels
/// of NR columns; a micropanel holds, for each row of B in turn, its NR weights side by side.
typedef struct {
    /// Rows of A and C, at least 1.
    size_t rows;
    /// Columns of B and C, at least 1.
    size_t columns;
    /// Columns of A and rows of B, at least 1.
    size_t depth;
    /// `rows` rows of `depth` floats, `a_stride` floats apart.
    const float *a;
    size_t a_stride;
    /// Weights from the start of a micropanel to the start of the next.
    size_t panel_stride;
    /// Weights in a row of the last of the ⌈columns / NR⌉ micropanels: NR, or fewer and then a multiple of the set's `quantum` (with
    /// bfloat16, of a pair of vectors). Columns past `columns` are read and must be finite.
    size_t last_width;
    /// One float per column, filled up to whole micropanels as `last_width` says; read only where `accumulate` is false.
    const float *bias;
    /// `rows` rows of `columns` floats, `c_stride` floats apart; read only where `accumulate` is true.
    float *c;
    size_t c_stride;
    /// Start from `c` (a later block of the depth) and not from `bias`.
    bool accumulate;
    /// Applied to what is stored; identity for all but the last block of the depth.
    sinew_activation activation;
    /// Whether the weights come from memory and not from a cache. Decides how they are fetched, never what comes out.
    bool streamed;
} sinew_product;

/// A product with float weights.
///
/// Each element is one chain over the depth in rising order, the same for every number of rows and columns; a chain is fused
/// multiply-adds except in the portable kernel, which rounds the product too.
typedef void sinew_sgemm_function(const sinew_product *product, const float *panels);

/// The same product with weights stored as bfloat16: the upper halves of floats.
///
/// Within a row of a micropanel the columns lie in groups of two vectors of L = `lanes` values, the two vectors interleaved:
/// column `c` of a group is value `2c` for `c < L` and value `2(c − L) + 1` otherwise, so that a shift widens the first vector
/// and a mask the second. Widening is exact and activations and sums stay float, so the result is bit for bit that of the
/// float product of the same instruction set with the same rounded weights.
typedef void sinew_sgemm_bf16_function(const sinew_product *product, const uint16_t *panels);

/// The update of an affine coupling, in place: `x[i] ← x[i] · exp(s[i]) + t[i]` for `i < n`.
/// `n` may be 0. `exp` as in `sinew_map_function`'s exponential.
typedef void sinew_coupling_function(size_t n, float *x, const float *s, const float *t);

/// `y[i] ← f(x[i])` for `i < n`; `x == y` is allowed, `n` may be 0.
///
/// - exp: the argument is clamped to [-87, 88]; relative error at most 2^-22 against the exact value of the clamped argument.
/// - tanh: relative error at most 2^-21 for every finite argument; odd, magnitude at most 1.
/// - Both give NaN for NaN.
typedef void sinew_map_function(size_t n, const float *x, float *y);

/// Lists of weighted rows: list `l` has the terms `starts[l] ..< starts[l + 1]`.
typedef struct {
    /// Lists, a multiple of `group`.
    size_t count;
    /// Lists whose sums lie side by side.
    size_t group;
    const size_t *starts;
    const size_t *rows;
    const float *weights;
} sinew_row_lists;

/// Sums the lists over a table `source` `[rows, frames, width]` into `mixed` `[count / group, frames, group, width]`; a list without terms
/// gives zeros. Terms are added in their order, fused except in the portable kernel.
typedef void sinew_mix_rows_function(
    const sinew_row_lists *lists, size_t frames, size_t width, const float *source, float *mixed);

/// Everything one instruction set offers.
typedef struct {
    /// Lower-case name, static storage.
    const char *name;
    /// Rows of the register tile.
    size_t mr;
    /// NR: columns of the register tile, also the width of a micropanel.
    size_t nr;
    /// Floats of a vector; decides the order of columns in bfloat16 micropanels.
    size_t lanes;
    /// The least floats in a row of a float micropanel; the last micropanel's width is a multiple of it.
    size_t quantum;
    sinew_sgemm_function *sgemm;
    sinew_sgemm_bf16_function *sgemm_bf16;
    /// IK direction: `x · exp(s) + t`.
    sinew_coupling_function *coupling_update;
    /// FK direction: `(x − t) · exp(−s)`.
    sinew_coupling_function *coupling_invert;
    sinew_map_function *exp;
    sinew_map_function *tanh;
    sinew_mix_rows_function *mix_rows;
} sinew_kernel_set;

/// The kernels of an instruction set, or NULL where this machine (or its operating system) cannot run them.
/// The portable set exists everywhere.
const sinew_kernel_set *sinew_kernels(sinew_isa isa);
