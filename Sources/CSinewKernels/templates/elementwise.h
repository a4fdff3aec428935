/// Loops over arrays, a masked vector for the tail: `SINEW_MAP` defines `y = f(x)`, `SINEW_COUPLING` defines `x = f(x, s, t)`.
/// Include after vector_math.h, under the target attribute.
#pragma once

#define SINEW_MAP(name, function)                                                                                      \
    void name(size_t n, const float *x, float *y) {                                                                    \
        size_t i = 0;                                                                                                  \
        for (; i + VF_LANES <= n; i += VF_LANES) vf_store(y + i, function(vf_load(x + i)));                            \
        if (i < n) vf_store_first(y + i, n - i, function(vf_load_first(x + i, n - i)));                                \
    }

#define SINEW_COUPLING(name, function)                                                                                 \
    void name(size_t n, float *x, const float *s, const float *t) {                                                    \
        size_t i = 0;                                                                                                  \
        for (; i + VF_LANES <= n; i += VF_LANES)                                                                       \
            vf_store(x + i, function(vf_load(x + i), vf_load(s + i), vf_load(t + i)));                                 \
        if (i < n) {                                                                                                   \
            const size_t rest = n - i;                                                                                 \
            vf_store_first(x + i, rest,                                                                                \
                function(vf_load_first(x + i, rest), vf_load_first(s + i, rest), vf_load_first(t + i, rest)));         \
        }                                                                                                              \
    }

SINEW_INLINE vf v_coupling_update(vf x, vf s, vf t) { return vf_fma(x, v_exp(s), t); }
SINEW_INLINE vf v_coupling_invert(vf x, vf s, vf t) { return vf_mul(vf_sub(x, t), v_exp(vf_sub(vf_set1(0.0f), s))); }
