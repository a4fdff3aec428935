// Compiled without any ISA flag: this file must run on every machine.
#include "internal.h"

#define SINEW_KERNEL_SET(isa, rows, columns, width, least)                                                             \
    {                                                                                                                  \
        .name = #isa, .mr = rows, .nr = columns, .lanes = width, .quantum = least,                                     \
        .sgemm = sinew_sgemm_##rows##x##columns##__##isa,                                                              \
        .sgemm_bf16 = sinew_sgemm_bf16_##rows##x##columns##__##isa,                                                    \
        .coupling_update = sinew_coupling_update__##isa, .coupling_invert = sinew_coupling_invert__##isa,              \
        .exp = sinew_exp__##isa, .tanh = sinew_tanh__##isa,                                                            \
        .mix_rows = sinew_mix_rows__##isa,                                                                             \
    }

static const sinew_kernel_set portable = SINEW_KERNEL_SET(portable, 4, 8, 1, 1);
#if defined(__x86_64__)
static const sinew_kernel_set avx2 = SINEW_KERNEL_SET(avx2, 6, 16, 8, 8);
static const sinew_kernel_set avx512 = SINEW_KERNEL_SET(avx512, 14, 32, 16, 8);
#endif
#if defined(__aarch64__)
static const sinew_kernel_set neon = SINEW_KERNEL_SET(neon, 6, 16, 4, 4);
#endif

const sinew_kernel_set *sinew_kernels(sinew_isa isa) {
    switch (isa) {
    case SINEW_ISA_PORTABLE:
        return &portable;
    case SINEW_ISA_NEON:
#if defined(__aarch64__)
        return &neon;  // part of the base architecture
#else
        return NULL;
#endif
    case SINEW_ISA_AVX2:
#if defined(__x86_64__)
        // The builtin also asks whether the operating system saves the wide registers.
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2 : NULL;
#else
        return NULL;
#endif
    case SINEW_ISA_AVX512:
#if defined(__x86_64__)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") ? &avx512 : NULL;
#else
        return NULL;
#endif
    }
    return NULL;
}
