/// The matrix product of every SIMD instruction set; contracts: `sinew_sgemm_function`, and with `SGEMM_BF16` defined
/// `sinew_sgemm_bf16_function`.
///
/// Define `SGEMM_NAME`, `SGEMM_MR`, `SGEMM_NV` (vectors of a micropanel, NR = SGEMM_NV · VF_LANES) and `SGEMM_TILES(X)`
/// (X(1) … X(SGEMM_MR)), then include under the target attribute. Each number of rows gets its own fully unrolled body, so a
/// short tile costs no more than its rows and every sum lives in a register.
#include <assert.h>

#ifdef SGEMM_BF16
typedef uint16_t sgemm_weight;
SINEW_INLINE void sgemm_load_row(const sgemm_weight *b, const size_t vectors, vf *column) {
    _Static_assert(SGEMM_NV % 2 == 0, "bfloat16 rows are pairs of vectors");
    SINEW_UNROLL for (size_t v = 0; v < vectors; v += 2) vf_load_bf16(b + v * VF_LANES, &column[v], &column[v + 1]);
}
/// Rows of bfloat16 micropanels are pairs of vectors.
#define SGEMM_QUANTUM ((size_t)2)
#else
typedef float sgemm_weight;
SINEW_INLINE void sgemm_load_row(const sgemm_weight *b, const size_t vectors, vf *column) {
    SINEW_UNROLL for (size_t v = 0; v < vectors; v++) column[v] = vf_load(b + v * VF_LANES);
}
#define SGEMM_QUANTUM ((size_t)1)
#endif

#define SGEMM_NR (SGEMM_NV * VF_LANES)

// Weights that come from memory are fetched into L2 ahead of their use, over the end of the micropanel into the next. Measured
// with AVX-512 on 512 inputs and outputs, in GFLOP/s:
//
// - Tiles of many rows fetch every line SGEMM_AHEAD bytes ahead: eight rows on weights that are larger than L3 ran at 104 with it
//   and at 94 without, and weights that lie in L2 cost nothing more.
// - Few rows wait for memory alone. The hardware fetches ahead of a plain read, but it stops at every page and starts
//   anew; so the first lines of each page are fetched one page ahead, once per page: four rows from memory ran at 62 so, and at
//   53 with every line fetched.
// - One row with float weights ran at 17 with every line fetched and at 15 with the start of each page; from L2 it pays for
//   that, with 41 instead of 46. One row with bfloat16 weights ran at 27 and 34.
//
// One and two rows have too few sums to hide the latency of the multiply-adds. Two micropanels side by side gain 3 to 5 % for
// weights in L2 and lose 8 to 12 % for weights from memory, where a second stream disturbs the fetching: they are not used.
#define SGEMM_PAGE_BYTES ((size_t)4096)
#define SGEMM_AHEAD ((size_t)6144)
#define SGEMM_PAGE_LINES ((size_t)8)

/// Whether a tile fetches every line ahead. From six rows on (three with bfloat16) arithmetic takes as long as weights from memory.
SINEW_INLINE bool sgemm_fetches_all(const size_t rows) {
    return rows * 4 >= sizeof(sgemm_weight) * 6 || (rows == 1 && sizeof(sgemm_weight) == 4);
}

/// One register tile and what it needs to know of its product.
typedef struct {
    size_t columns, depth;
    const float *a;
    size_t a_stride;
    const sgemm_weight *b;
    const float *bias;
    float *c;
    size_t c_stride;
    bool accumulate;
    sinew_activation activation;
} sgemm_tile;

/// A prefetch never faults, so it may run over the end of the panels; the address is made of integers because a pointer may not.
SINEW_INLINE void sgemm_prefetch(const sgemm_weight *b, const size_t ahead, const size_t bytes) {
    SINEW_UNROLL for (size_t line = 0; line < bytes; line += 64) {
        __builtin_prefetch((const void *)((uintptr_t)b + ahead + line), 0, 2);
    }
}

SINEW_INLINE vf sgemm_activate(vf x, const sinew_activation activation) {
    return activation == SINEW_ACTIVATION_TANH ? x : v_activate(x, activation);
}

/// Stores the sums; `activation` is a constant here, and tanh is left to who calls.
SINEW_INLINE void sgemm_store(
    const sgemm_tile *x, const size_t rows, const size_t vectors, vf (*acc)[SGEMM_NV],
    const sinew_activation activation) {
    if (x->columns == vectors * VF_LANES) {
        SINEW_UNROLL for (size_t i = 0; i < rows; i++) {
            SINEW_UNROLL for (size_t v = 0; v < vectors; v++) {
                vf_store(x->c + i * x->c_stride + v * VF_LANES, sgemm_activate(acc[i][v], activation));
            }
        }
        return;
    }
    SINEW_UNROLL for (size_t v = 0; v < vectors; v++) {
        const size_t start = v * VF_LANES;
        if (x->columns <= start) break;
        const size_t width = x->columns - start < VF_LANES ? x->columns - start : VF_LANES;
        SINEW_UNROLL for (size_t i = 0; i < rows; i++) {
            vf_store_first(x->c + i * x->c_stride + start, width, sgemm_activate(acc[i][v], activation));
        }
    }
}

/// `rows` by `vectors` vectors, which are below SGEMM_NV in a narrow last micropanel alone.
SINEW_INLINE void sgemm_tile_run(const sgemm_tile *x, const size_t rows, const size_t vectors) {
    vf acc[SGEMM_MR][SGEMM_NV];
    SINEW_UNROLL for (size_t v = 0; v < vectors; v++) {
        if (x->accumulate) {
            const size_t start = v * VF_LANES;
            const size_t left = x->columns <= start ? 0 : x->columns - start;
            SINEW_UNROLL for (size_t i = 0; i < rows; i++) {
                acc[i][v] = vf_load_first(x->c + i * x->c_stride + start, left < VF_LANES ? left : VF_LANES);
            }
        } else {
            const vf start = vf_load(x->bias + v * VF_LANES);
            SINEW_UNROLL for (size_t i = 0; i < rows; i++) acc[i][v] = start;
        }
    }
    const float *a = x->a;
    const sgemm_weight *b = x->b;
    const size_t a_stride = x->a_stride, depth = x->depth, row_bytes = vectors * VF_LANES * sizeof(sgemm_weight);
    const bool all = sgemm_fetches_all(rows);
    const size_t step = all ? depth : SGEMM_PAGE_BYTES / row_bytes;
    for (size_t start = 0; start < depth; start += step) {
        const size_t end = depth - start < step ? depth : start + step;
        if (!all) sgemm_prefetch(b, SGEMM_PAGE_BYTES, SGEMM_PAGE_LINES * 64);
        for (size_t p = start; p < end; p++) {
            vf column[SGEMM_NV];
            if (all) sgemm_prefetch(b, SGEMM_AHEAD, row_bytes);
            sgemm_load_row(b, vectors, column);
            SINEW_UNROLL for (size_t i = 0; i < rows; i++) {
                const vf value = vf_set1(a[i * a_stride]);
                SINEW_UNROLL for (size_t v = 0; v < vectors; v++) acc[i][v] = vf_fma(value, column[v], acc[i][v]);
            }
            a += 1;
            b += vectors * VF_LANES;
        }
    }
    switch (x->activation) {
    case SINEW_ACTIVATION_LEAKY_RELU:
        sgemm_store(x, rows, vectors, acc, SINEW_ACTIVATION_LEAKY_RELU);
        break;
    case SINEW_ACTIVATION_RELU:
        sgemm_store(x, rows, vectors, acc, SINEW_ACTIVATION_RELU);
        break;
    case SINEW_ACTIVATION_IDENTITY:
    case SINEW_ACTIVATION_TANH:
        sgemm_store(x, rows, vectors, acc, SINEW_ACTIVATION_IDENTITY);
        break;
    }
}

/// A micropanel of full width.
static void sgemm_full(const sgemm_tile *x, size_t rows) {
    switch (rows) {
#define SGEMM_CASE(count)                                                                                              \
    case count:                                                                                                        \
        sgemm_tile_run(x, count, SGEMM_NV);                                                                            \
        return;
        SGEMM_TILES(SGEMM_CASE)
#undef SGEMM_CASE
    default:
        return;
    }
}

/// A last micropanel of fewer vectors; a set whose micropanels are as narrow as they can be has none.
__attribute__((unused)) static void sgemm_narrow(const sgemm_tile *x, size_t rows, size_t vectors) {
    switch (rows) {
#define SGEMM_CASE(count)                                                                                              \
    case count:                                                                                                        \
        SINEW_UNROLL for (size_t narrow = SGEMM_QUANTUM; narrow < SGEMM_NV; narrow += SGEMM_QUANTUM) {                 \
            if (vectors == narrow) sgemm_tile_run(x, count, narrow);                                                   \
        }                                                                                                              \
        return;
        SGEMM_TILES(SGEMM_CASE)
#undef SGEMM_CASE
    default:
        return;
    }
}

/// In place, over a tile that has just been stored: tanh is long, and would be written out once for each shape of tile.
static void sgemm_tanh(const sgemm_tile *x, size_t rows) {
    for (size_t i = 0; i < rows; i++) {
        float *c = x->c + i * x->c_stride;
        for (size_t column = 0; column < x->columns; column += VF_LANES) {
            const size_t width = x->columns - column < VF_LANES ? x->columns - column : VF_LANES;
            vf_store_first(c + column, width, v_tanh(vf_load_first(c + column, width)));
        }
    }
}

void SGEMM_NAME(const sinew_product *product, const sgemm_weight *panels) {
    const sinew_product x = *product;
    assert(x.rows >= 1 && x.columns >= 1 && x.depth >= 1);
    // Tiles of nearly equal size: a remainder of one or two rows would wait for weights as long as a full tile.
    const size_t tiles = (x.rows + SGEMM_MR - 1) / SGEMM_MR;
    sgemm_tile tile = {
        .depth = x.depth, .a_stride = x.a_stride, .c_stride = x.c_stride, .accumulate = x.accumulate,
        .activation = x.activation,
    };
    for (size_t column = 0; column < x.columns; column += SGEMM_NR) {
        const size_t left = x.columns - column;
        const bool narrow = left <= SGEMM_NR && x.last_width < SGEMM_NR;
        tile.columns = left < SGEMM_NR ? left : SGEMM_NR;
        tile.b = panels + column / SGEMM_NR * x.panel_stride;
        tile.bias = x.bias + column;
        for (size_t i = 0; i < tiles; i++) {
            const size_t row = x.rows * i / tiles, rows = x.rows * (i + 1) / tiles - row;
            tile.a = x.a + row * x.a_stride;
            tile.c = x.c + row * x.c_stride + column;
            if (narrow) sgemm_narrow(&tile, rows, x.last_width / VF_LANES);
            else sgemm_full(&tile, rows);
            if (x.activation == SINEW_ACTIVATION_TANH) sgemm_tanh(&tile, rows);
        }
    }
}
