// Checks the C kernels of one instruction set against double precision, without Swift: for machines and emulators where the
// Swift tests do not run. `check_neon.sh` builds it for 64-bit ARM and runs it under qemu.
//
//     check_kernels <portable|neon|avx2|avx512>
//
// Exit status 0 when every figure is within its bound, 1 when not, 2 when the set is not available.

#include "sinew_int8.h"
#include "sinew_kernels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float uniform(void) { return (float)(rand() % 20001 - 10000) / 10000.0f; }

static void keep_worst(double *worst, double value) {
    if (!(value <= *worst)) *worst = value;  // NaN counts as the worst of all
}

static double activate(double x, int activation) {
    switch (activation) {
    case SINEW_ACTIVATION_LEAKY_RELU:
        return x > 0 ? x : 0.01 * x;
    case SINEW_ACTIVATION_TANH:
        return tanh(x);
    case SINEW_ACTIVATION_RELU:
        return x > 0 ? x : 0;
    default:
        return x;
    }
}

/// Where column `column` lies in a row of a bfloat16 micropanel; see `sinew_sgemm_bf16_function`.
static size_t interleaved(size_t column, size_t lanes) {
    const size_t group = column / (2 * lanes), within = column % (2 * lanes);
    return group * 2 * lanes + (within < lanes ? 2 * within : 2 * (within - lanes) + 1);
}

/// Weights in a row of the micropanel that begins at `column`, of a matrix of `n` columns whose rows are whole `unit`s.
static size_t panel_width(const sinew_kernel_set *set, size_t n, size_t column, size_t unit) {
    const size_t padded = (n + unit - 1) / unit * unit;
    return padded - column < set->nr ? padded - column : set->nr;
}

/// The largest error of one product as a fraction of its bound (Higham 3.1); infinite where something outside was written, or
/// where the product with bfloat16 weights differs from the float product with the same weights, or weights from memory give
/// another result than weights in cache.
static double product_error(const sinew_kernel_set *set, size_t m, size_t n, size_t k, int activation, bool accumulate) {
    enum { STRIDE = 272, ROWS = 32, WIDTH = 160 };
    static float a[ROWS * STRIDE], b[STRIDE * WIDTH], bias[WIDTH], c[ROWS * WIDTH], before[ROWS * WIDTH];
    static float panels[STRIDE * WIDTH], other[ROWS * WIDTH];
    static uint16_t halves[STRIDE * WIDTH];
    const size_t nr = set->nr, first = (n - 1) / nr * nr;
    for (size_t i = 0; i < ROWS * STRIDE; i++) a[i] = i / STRIDE < m && i % STRIDE < k ? uniform() : NAN;
    memset(panels, 0, sizeof panels);
    memset(halves, 0, sizeof halves);
    for (size_t p = 0; p < k; p++) {
        for (size_t column = 0; column < n; column++) {
            const size_t start = column / nr * nr, within = column - start;
            float weight = uniform();
            uint32_t bits;
            memcpy(&bits, &weight, sizeof bits);
            bits &= 0xFFFF0000u;  // a bfloat16 value, so that both products have the same weights
            memcpy(&weight, &bits, sizeof bits);
            b[p * n + column] = weight;
            panels[start * k + p * panel_width(set, n, start, set->quantum) + within] = weight;
            halves[start * k + p * panel_width(set, n, start, 2 * set->lanes) + interleaved(within, set->lanes)] =
                (uint16_t)(bits >> 16);
        }
    }
    for (size_t i = 0; i < WIDTH; i++) bias[i] = uniform();
    for (size_t i = 0; i < ROWS * WIDTH; i++) before[i] = other[i] = c[i] = uniform();
    sinew_product product = {
        .rows = m, .columns = n, .depth = k, .a = a, .a_stride = STRIDE, .panel_stride = nr * k,
        .last_width = panel_width(set, n, first, set->quantum), .bias = bias, .c = c, .c_stride = WIDTH,
        .accumulate = accumulate, .activation = (sinew_activation)activation,
    };
    set->sgemm(&product, panels);
    product.c = other;
    for (int way = 1; way < 4; way++) {
        memcpy(other, before, sizeof before);
        product.streamed = way % 2 == 1;
        product.last_width = panel_width(set, n, first, way < 2 ? set->quantum : 2 * set->lanes);
        if (way < 2) set->sgemm(&product, panels);
        else set->sgemm_bf16(&product, halves);
        if (memcmp(c, other, sizeof c) != 0) return INFINITY;
    }
    double worst = 0;
    for (size_t i = 0; i < ROWS * WIDTH; i++) {
        const size_t row = i / WIDTH, column = i % WIDTH;
        if (row >= m || column >= n) {
            if (memcmp(&c[i], &before[i], sizeof c[i]) != 0) return INFINITY;
            continue;
        }
        double sum = accumulate ? before[i] : bias[column], magnitude = fabs(sum);
        for (size_t p = 0; p < k; p++) {
            const double term = (double)a[row * STRIDE + p] * b[p * n + column];
            sum += term;
            magnitude += fabs(term);
        }
        const double exact = activate(sum, activation);
        const double bound = 2 * (double)(k + 2) * 0x1p-24 * magnitude + 0x1p-21 * fabs(exact) + 1e-30;
        keep_worst(&worst, fabs(c[i] - exact) / bound);
    }
    return worst;
}

/// Where the weight of an input and a column lies in the micropanels of an int8 set; see `sinew_igemm_ukr_function`.
static size_t int8_place(const sinew_int8_kernel_set *set, size_t inputs, size_t input, size_t column) {
    const size_t groups = (inputs + set->group - 1) / set->group, group = input / set->group;
    return ((column / set->nr * groups + group) * set->nr + column % set->nr) * set->group + input % set->group;
}

/// How many elements of an int8 product of `rows` rows and `n` columns differ from the definition in sinew_int8.h, bit for bit.
static size_t int8_mistakes(const sinew_int8_kernel_set *set, size_t rows, size_t n, size_t inputs, size_t k) {
    enum { DEPTH = 80, WIDTH = 64, ROWS = 300 };
    static float a[ROWS * DEPTH], scales[WIDTH], bias[WIDTH], c[ROWS * WIDTH];
    static int8_t weights[DEPTH * WIDTH], panels[DEPTH * WIDTH * 4];
    static int32_t sums[WIDTH];
    memset(panels, 0, sizeof panels);
    memset(sums, 0, sizeof sums);
    for (size_t i = 0; i < ROWS * DEPTH; i++) a[i] = i % DEPTH < k ? uniform() : NAN;
    for (size_t i = 0; i < WIDTH; i++) scales[i] = uniform(), bias[i] = uniform();
    for (size_t i = 0; i < ROWS * WIDTH; i++) c[i] = -77;
    for (size_t column = 0; column < n; column++) {
        for (size_t input = 0; input < inputs; input++) {
            const int8_t weight = (int8_t)(rand() % 255 - 127);
            weights[column * inputs + input] = panels[int8_place(set, inputs, input, column)] = weight;
            sums[column] += weight;
        }
    }
    const sinew_int8_weights packed = {inputs, panels, scales, sums, bias};
    sinew_int8_multiply(set, &packed, rows, k, 0, n, a, DEPTH, c, WIDTH, SINEW_ACTIVATION_LEAKY_RELU);
    size_t mistakes = 0;
    for (size_t row = 0; row < rows; row++) {
        float min = 0, max = 0;
        for (size_t p = 0; p < k; p++) min = fminf(min, a[row * DEPTH + p]), max = fmaxf(max, a[row * DEPTH + p]);
        const float inverse = 255.0f / (max - min), scale = (max - min) / 255.0f;
        const long zero = lrintf(-min * inverse);
        for (size_t column = 0; column < WIDTH; column++) {
            long sum = 0;
            for (size_t p = 0; p < k && column < n; p++) {
                const long q = lrintf(a[row * DEPTH + p] * inverse) + zero;
                sum += ((q > 255 ? 255 : q) - zero) * weights[column * inputs + p];
            }
            const float factor = scale * scales[column], product = (float)sum * factor, value = product + bias[column];
            const float wanted = column < n ? (value > 0 ? value : 0.01f * value) : -77;
            if (c[row * WIDTH + column] != wanted) mistakes++;
        }
    }
    return mistakes;
}

int main(int count, char **arguments) {
    static const char *const names[] = {"portable", "neon", "avx2", "avx512"};
    const sinew_kernel_set *set = NULL;
    const sinew_int8_kernel_set *int8 = NULL;
    for (int isa = 0; isa < 4; isa++) {
        if (count == 2 && strcmp(arguments[1], names[isa]) == 0) {
            set = sinew_kernels((sinew_isa)isa);
            int8 = sinew_int8_kernels((sinew_isa)isa);
        }
    }
    if (set == NULL) {
        fprintf(stderr, "usage: check_kernels <portable|neon|avx2|avx512>, one that this machine has\n");
        return 2;
    }
    double products = 0, exp_error = 0, tanh_error = 0, coupling = 0, mixing = 0;
    for (size_t m = 1; m <= 2 * set->mr + 1; m++) {
        for (size_t n = 1; n <= 2 * set->nr + 1; n++) {
            for (size_t k = 1; k <= 33; k += k < 5 ? 1 : 7) {
                for (int mode = 0; mode < 8; mode++) keep_worst(&products, product_error(set, m, n, k, mode % 4, mode >= 4));
            }
        }
        // Deep enough for several pages of weights and wide enough for several micropanels, which few rows take side by side.
        for (size_t n = 1; m <= 6 && n <= 4 * set->nr + 17; n++) {
            keep_worst(&products, product_error(set, m, n, n % 3 == 0 ? 265 : 7, (int)(n % 4), n % 2 == 0));
        }
    }
    for (int step = -8700; step <= 8700; step++) {
        const float x = (float)step / 100.0f;
        float y;
        set->exp(1, &x, &y);
        keep_worst(&exp_error, fabs(y / exp((double)x) - 1));
        set->tanh(1, &x, &y);
        keep_worst(&tanh_error, step == 0 ? fabs((double)y) : fabs(y / tanh((double)x) - 1));
    }
    for (size_t n = 1; n <= 40; n++) {
        float x[48], start[48], s[48], t[48];
        for (int i = 0; i < 48; i++) start[i] = x[i] = uniform(), s[i] = uniform(), t[i] = uniform();
        set->coupling_update(n, x, s, t);
        for (size_t i = 0; i < 48; i++) {
            keep_worst(&coupling, fabs(x[i] - (i < n ? start[i] * exp((double)s[i]) + t[i] : start[i])));
        }
        set->coupling_invert(n, x, s, t);
        for (size_t i = 0; i < 48; i++) keep_worst(&coupling, fabs((double)x[i] - start[i]));
    }
    for (size_t width = 1; width <= 40; width++) {
        // Rows 0 and 1 of two frames: nothing, one of them, both.
        const size_t starts[] = {0, 0, 1, 3}, rows[] = {1, 0, 1};
        const float weights[] = {2.0f, 0.5f, -1.5f};
        const sinew_row_lists lists = {.count = 3, .group = 3, .starts = starts, .rows = rows, .weights = weights};
        float source[160], mixed[241];
        for (int i = 0; i < 160; i++) source[i] = uniform();
        mixed[6 * width] = -77;
        set->mix_rows(&lists, 2, width, source, mixed);
        keep_worst(&mixing, fabs((double)mixed[6 * width] + 77));
        for (size_t i = 0; i < 2 * width; i++) {
            const size_t frame = i / width, at = frame * 3 * width + i % width;
            const double first = source[i], second = source[2 * width + i];
            keep_worst(&mixing, fabs((double)mixed[at]));
            keep_worst(&mixing, fabs(mixed[at + width] - 2 * second));
            keep_worst(&mixing, fabs(mixed[at + 2 * width] - (0.5 * first - 1.5 * second)));
        }
    }
    size_t mistakes = int8_mistakes(int8, 300, 20, 70, 70);
    for (size_t rows = 1; rows <= int8->mr + 1; rows++) {
        for (size_t n = 1; n <= int8->nr + 1; n++) {
            for (size_t k = 1; k <= 70; k += k < 5 ? 1 : 13) {
                mistakes += int8_mistakes(int8, rows, n, k, k) + int8_mistakes(int8, rows, n, 70, k);
            }
        }
    }
    printf("%s: products %.3f of their bound; exp %.2g of %.2g; tanh %.2g of %.2g; couplings %.2g of 2e-06; sums of rows %.2g of 1e-06; %zu int8 sums wrong\n",
        set->name, products, exp_error, 0x1p-22, tanh_error, 0x1p-21, coupling, mixing, mistakes);
    return products <= 1 && exp_error <= 0x1p-22 && tanh_error <= 0x1p-21 && coupling <= 2e-6 && mixing <= 1e-6 && mistakes == 0 ? 0 : 1;
}
