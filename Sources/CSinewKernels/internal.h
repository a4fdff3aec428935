/// The kernels by name, for dispatch.c: `sinew_<operation>[_<tile>]__<isa>`. Contracts: include/sinew_kernels.h.
#pragma once
#include "include/sinew_int8.h"
#include "include/sinew_kernels.h"

#define SINEW_DECLARE_ELEMENTWISE(isa)                                                                                 \
    sinew_coupling_function sinew_coupling_update__##isa;                                                              \
    sinew_coupling_function sinew_coupling_invert__##isa;                                                              \
    sinew_map_function sinew_exp__##isa;                                                                               \
    sinew_map_function sinew_tanh__##isa;                                                                              \
    sinew_mix_rows_function sinew_mix_rows__##isa;

sinew_sgemm_function sinew_sgemm_4x8__portable;
sinew_sgemm_bf16_function sinew_sgemm_bf16_4x8__portable;
sinew_igemm_ukr_function sinew_igemm_ukr_4x8__portable;
sinew_quantise_row_function sinew_quantise_row__portable;
SINEW_DECLARE_ELEMENTWISE(portable)

#if defined(__x86_64__)
sinew_sgemm_function sinew_sgemm_6x16__avx2;
sinew_sgemm_bf16_function sinew_sgemm_bf16_6x16__avx2;
sinew_igemm_ukr_function sinew_igemm_ukr_6x16__avx2;
sinew_quantise_row_function sinew_quantise_row__avx2;
SINEW_DECLARE_ELEMENTWISE(avx2)
sinew_sgemm_function sinew_sgemm_14x32__avx512;
sinew_sgemm_bf16_function sinew_sgemm_bf16_14x32__avx512;
sinew_igemm_ukr_function sinew_igemm_ukr_14x32__avx512vnni;
sinew_quantise_row_function sinew_quantise_row__avx512vnni;
SINEW_DECLARE_ELEMENTWISE(avx512)
#endif

#if defined(__aarch64__)
sinew_sgemm_function sinew_sgemm_6x16__neon;
sinew_sgemm_bf16_function sinew_sgemm_bf16_6x16__neon;
sinew_igemm_ukr_function sinew_igemm_ukr_6x16__neon;
sinew_quantise_row_function sinew_quantise_row__neon;
SINEW_DECLARE_ELEMENTWISE(neon)
#endif
