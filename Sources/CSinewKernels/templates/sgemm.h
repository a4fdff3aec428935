/// The matrix product of every SIMD instruction set; contracts: `sinew_sgemm_function`, and with `SGEMM_BF16` defined
/// `sinew_sgemm_bf16_function`.
///
/// Define `SGEMM_NAME`, `SGEMM_MR`, `SGEMM_NV` (vectors of a micropanel, NR = SGEMM_NV · VF_LANES), `SGEMM_TILES(X)`
/// (X(1) … X(SGEMM_MR)), `SGEMM_WIDE(X)` (X(rows, panels) for few rows) and where the narrowest micropanel is not one vector (two
/// with bfloat16) `SGEMM_QUANTUM`, its floats; then include under the target attribute. Each shape of a tile gets its own fully
/// unrolled body, so a short tile costs no more than its rows and every sum lives in a register.
#include <assert.h>

#ifdef SGEMM_BF16
typedef uint16_t sgemm_weight;
#undef SGEMM_QUANTUM
#define SGEMM_QUANTUM (2 * VF_LANES)
#else
typedef float sgemm_weight;
#ifndef SGEMM_QUANTUM
#define SGEMM_QUANTUM VF_LANES
#endif
#endif

#define SGEMM_NR (SGEMM_NV * VF_LANES)
/// Vectors of the widest tile: eight micropanels side by side.
#define SGEMM_VECTORS_MAX (8 * SGEMM_NV)

// Weights in cache are read as they come; up to four rows take several micropanels side by side (SGEMM_WIDE), because two vectors of a row
// are too few sums to hide the latency of the multiply-adds.
//
// Weights from memory (`streamed`) are fetched into L2 ahead of their use, over the end of the micropanel into the next, and one
// micropanel at a time: a second stream disturbs the fetching. Tiles of many rows fetch every line ahead. Few rows wait for memory
// alone, where every prefetch is one more thing to do: the hardware fetches ahead of a plain read, but it stops at every page and starts
// anew, so the first lines of each page are fetched one page ahead, once per page. One row with float weights reads so fast that it
// gains from every line again, a shorter way ahead. The figures stand in Benchmarks/README.md.
#define SGEMM_PAGE_BYTES ((size_t)4096)
#define SGEMM_PAGE_LINES ((size_t)8)
#define SGEMM_AHEAD_ONE_ROW ((size_t)3072)
#define SGEMM_AHEAD ((size_t)6144)

/// How a tile fetches its weights ahead.
typedef enum { SGEMM_FETCH_NOTHING, SGEMM_FETCH_PAGES, SGEMM_FETCH_LINES } sgemm_fetch;

/// From six rows on (three with bfloat16) arithmetic takes as long as weights from memory.
SINEW_INLINE sgemm_fetch sgemm_streamed_fetch(const size_t rows) {
    const bool many = rows * 4 >= sizeof(sgemm_weight) * 6, one = rows == 1 && sizeof(sgemm_weight) == 4;
    return many || one ? SGEMM_FETCH_LINES : SGEMM_FETCH_PAGES;
}

/// One register tile and what it needs to know of its product.
typedef struct {
    size_t columns, depth;
    const float *a;
    size_t a_stride;
    /// The first micropanel, and weights from one to the next.
    const sgemm_weight *b;
    size_t panel_stride;
    const float *bias;
    float *c;
    size_t c_stride;
    bool accumulate;
    sinew_activation activation;
} sgemm_tile;

/// Vectors of `width` columns; the last one may be half a vector.
SINEW_INLINE size_t sgemm_vectors(const size_t width) { return (width + VF_LANES - 1) / VF_LANES; }

#ifdef SGEMM_BF16
SINEW_INLINE void sgemm_load_row(const sgemm_weight *b, const size_t width, vf *column) {
    _Static_assert(SGEMM_NV % 2 == 0, "bfloat16 rows are pairs of vectors");
    SINEW_UNROLL for (size_t v = 0; v < sgemm_vectors(width); v += 2) {
        vf_load_bf16(b + v * VF_LANES, &column[v], &column[v + 1]);
    }
}
SINEW_INLINE vf sgemm_load_bias(const float *bias, const bool half) {
    (void)half;
    return vf_load(bias);
}
SINEW_INLINE vf sgemm_fma(const bool half, vf a, vf b, vf c) {
    (void)half;
    return vf_fma(a, b, c);
}
#else
SINEW_INLINE vf sgemm_load_bias(const float *bias, const bool half) {
#ifdef VF_HALF
    if (half) return vf_load_half(bias);
#endif
    (void)half;
    return vf_load(bias);
}
SINEW_INLINE vf sgemm_fma(const bool half, vf a, vf b, vf c) {
#ifdef VF_HALF
    if (half) return vf_fma_half(a, b, c);
#endif
    (void)half;
    return vf_fma(a, b, c);
}
SINEW_INLINE void sgemm_load_row(const sgemm_weight *b, const size_t width, vf *column) {
    SINEW_UNROLL for (size_t v = 0; v < sgemm_vectors(width); v++) {
        column[v] = sgemm_load_bias(b + v * VF_LANES, width - v * VF_LANES < VF_LANES);
    }
}
#endif

/// A prefetch never faults, so it may run over the end of the panels; the address is made of integers because a pointer may not.
SINEW_INLINE void sgemm_prefetch(const sgemm_weight *b, const size_t ahead, const size_t bytes) {
    SINEW_UNROLL for (size_t line = 0; line < bytes; line += 64) {
        __builtin_prefetch((const void *)((uintptr_t)b + ahead + line), 0, 2);
    }
}

SINEW_INLINE vf sgemm_activate(vf x, const sinew_activation activation) {
    return activation == SINEW_ACTIVATION_TANH ? x : v_activate(x, activation);
}

/// Columns of vector `v` of a tile that are stored.
SINEW_INLINE size_t sgemm_columns(const sgemm_tile *x, const size_t v) {
    const size_t start = v * VF_LANES, left = x->columns <= start ? 0 : x->columns - start;
    return left < VF_LANES ? left : VF_LANES;
}

/// Stores the sums; `activation` is a constant here, and tanh is left to who calls.
SINEW_INLINE void sgemm_store(
    const sgemm_tile *x, const size_t rows, const size_t vectors, vf (*acc)[SGEMM_VECTORS_MAX],
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
        const size_t width = sgemm_columns(x, v);
        SINEW_UNROLL for (size_t i = 0; i < rows; i++) {
            vf_store_first(x->c + i * x->c_stride + v * VF_LANES, width, sgemm_activate(acc[i][v], activation));
        }
    }
}

/// `rows` by `panels` micropanels, the last of which is `width` weights wide and the others SGEMM_NR.
SINEW_INLINE void sgemm_tile_run(
    const sgemm_tile *x, const size_t rows, const size_t panels, const size_t width, const sgemm_fetch fetch) {
    const size_t vectors = (panels - 1) * SGEMM_NV + sgemm_vectors(width);
    const bool half = width % VF_LANES != 0;
    vf acc[SGEMM_MR][SGEMM_VECTORS_MAX];
    SINEW_UNROLL for (size_t v = 0; v < vectors; v++) {
        if (x->accumulate) {
            const size_t columns = sgemm_columns(x, v);
            SINEW_UNROLL for (size_t i = 0; i < rows; i++) {
                acc[i][v] = vf_load_first(x->c + i * x->c_stride + v * VF_LANES, columns);
            }
        } else {
            const vf start = sgemm_load_bias(x->bias + v * VF_LANES, half && v + 1 == vectors);
            SINEW_UNROLL for (size_t i = 0; i < rows; i++) acc[i][v] = start;
        }
    }
    const float *a = x->a;
    // The micropanels of full width advance together, the last one by its own width.
    const sgemm_weight *b = x->b, *last = x->b + (panels - 1) * x->panel_stride;
    const size_t a_stride = x->a_stride, panel_stride = x->panel_stride, depth = x->depth;
    const size_t ahead = rows == 1 ? SGEMM_AHEAD_ONE_ROW : SGEMM_AHEAD;
    const size_t step = fetch == SGEMM_FETCH_PAGES ? SGEMM_PAGE_BYTES / (width * sizeof(sgemm_weight)) : depth;
    for (size_t start = 0; start < depth; start += step) {
        const size_t end = depth - start < step ? depth : start + step;
        if (fetch == SGEMM_FETCH_PAGES) sgemm_prefetch(last, SGEMM_PAGE_BYTES, SGEMM_PAGE_LINES * 64);
        for (size_t p = start; p < end; p++) {
            vf column[SGEMM_VECTORS_MAX];
            if (fetch == SGEMM_FETCH_LINES) sgemm_prefetch(last, ahead, width * sizeof(sgemm_weight));
            SINEW_UNROLL for (size_t panel = 0; panel + 1 < panels; panel++) {
                sgemm_load_row(b + panel * panel_stride, SGEMM_NR, column + panel * SGEMM_NV);
            }
            sgemm_load_row(last, width, column + (panels - 1) * SGEMM_NV);
            SINEW_UNROLL for (size_t i = 0; i < rows; i++) {
                const vf value = vf_set1(a[i * a_stride]);
                SINEW_UNROLL for (size_t v = 0; v < vectors; v++) {
                    acc[i][v] = sgemm_fma(half && v + 1 == vectors, value, column[v], acc[i][v]);
                }
            }
            a += 1;
            b += SGEMM_NR;
            last += width;
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

/// Every width that a last micropanel can have, each with a body of its own.
#define SGEMM_WIDTHS(width, rows, panels, fetch)                                                                 \
    SINEW_UNROLL for (size_t w = SGEMM_QUANTUM; w <= SGEMM_NR; w += SGEMM_QUANTUM) {                                   \
        if (width == w) sgemm_tile_run(x, rows, panels, w, fetch);                                                               \
    }

/// One micropanel of weights from memory.
static void sgemm_streamed(const sgemm_tile *x, size_t rows, size_t width) {
    switch (rows) {
#define SGEMM_CASE(count)                                                                                              \
    case count:                                                                                                        \
        SGEMM_WIDTHS(width, count, 1, sgemm_streamed_fetch(count))                                     \
        return;
        SGEMM_TILES(SGEMM_CASE)
#undef SGEMM_CASE
    default:
        return;
    }
}

/// One micropanel of weights in cache.
static void sgemm_cached(const sgemm_tile *x, size_t rows, size_t width) {
    switch (rows) {
#define SGEMM_CASE(count)                                                                                              \
    case count:                                                                                                        \
        SGEMM_WIDTHS(width, count, 1, SGEMM_FETCH_NOTHING)                                             \
        return;
        SGEMM_TILES(SGEMM_CASE)
#undef SGEMM_CASE
    default:
        return;
    }
}

/// Micropanels side by side, their weights in cache.
static void sgemm_wide(const sgemm_tile *x, size_t rows, size_t panels, size_t width) {
#define SGEMM_CASE(count, side)                                                                                        \
    if (rows == count && panels == side) {                                                                             \
        SGEMM_WIDTHS(width, count, side, SGEMM_FETCH_NOTHING)                                          \
        return;                                                                                                        \
    }
    SGEMM_WIDE(SGEMM_CASE)
#undef SGEMM_CASE
}

/// How many of `left` micropanels a tile of `rows` rows takes side by side, where their weights are in cache.
static size_t sgemm_side_by_side(size_t rows, size_t left) {
    size_t most = 1;
#define SGEMM_CASE(count, side)                                                                                        \
    if (rows == count && side > most && side <= left) most = side;
    SGEMM_WIDE(SGEMM_CASE)
#undef SGEMM_CASE
    return most;
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
    // Divided once, not for every tile: a division costs as much as a row of a narrow layer.
    const size_t tiles = (x.rows + SGEMM_MR - 1) / SGEMM_MR;
    const size_t least = tiles == 1 ? x.rows : x.rows / tiles, more = x.rows - least * tiles;
    const size_t count = (x.columns + SGEMM_NR - 1) / SGEMM_NR;
    const size_t most = x.streamed || tiles > 1 ? 1 : sgemm_side_by_side(x.rows, count);
    sgemm_tile tile = {
        .depth = x.depth, .a_stride = x.a_stride, .panel_stride = x.panel_stride, .c_stride = x.c_stride,
        .accumulate = x.accumulate, .activation = x.activation,
    };
    for (size_t panel = 0; panel < count;) {
        const size_t side = most <= count - panel ? most : sgemm_side_by_side(x.rows, count - panel);
        const size_t column = panel * SGEMM_NR, left = x.columns - column;
        const size_t width = panel + side == count ? x.last_width : SGEMM_NR;
        tile.columns = left < side * SGEMM_NR ? left : side * SGEMM_NR;
        tile.b = panels + panel * x.panel_stride;
        tile.bias = x.bias + column;
        for (size_t i = 0, row = 0, rows; i < tiles; i++, row += rows) {
            rows = i < more ? least + 1 : least;
            tile.a = x.a + row * x.a_stride;
            tile.c = x.c + row * x.c_stride + column;
            if (x.streamed) sgemm_streamed(&tile, rows, width);
            else if (side > 1) sgemm_wide(&tile, rows, side, width);
            else sgemm_cached(&tile, rows, width);
            if (x.activation == SINEW_ACTIVATION_TANH) sgemm_tanh(&tile, rows);
        }
        panel += side;
    }
}
