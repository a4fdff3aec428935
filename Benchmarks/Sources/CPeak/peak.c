#include "include/peak.h"

#if defined(__x86_64__)
#include <immintrin.h>

static volatile float factor = 0.999f, term = 0.002f;

// Twelve independent chains hide the latency of four cycles on two ports; the sum is returned so that nothing is removed.
// Processor time of this thread is counted: what else the machine does must not lower the peak. Every number comes from memory that
// the compiler may not look into: where it knew that a chain stays at 1 it left the chain out and the peak came out a twelfth too high.
#define PEAK(name, isa, type, set, fma, sum)                                                                           \
    __attribute__((target(isa))) static double name(long rounds, volatile float *sink) {                               \
        type acc[12];                                                                                                  \
        const type a = set(factor), b = set(term);                                                                     \
        for (int i = 0; i < 12; i++) acc[i] = set(term * (float)i);                                                    \
        const double start = sinew_thread_seconds();                                                                   \
        for (long r = 0; r < rounds * 64; r++) {                                                                       \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < 12; i++) acc[i] = fma(acc[i], a, b);                \
        }                                                                                                              \
        const double elapsed = sinew_thread_seconds() - start;                                                         \
        for (int i = 0; i < 12; i++) *sink += sum(acc[i]);                                                             \
        return (double)rounds * 64 * 12 * 2 * (sizeof(type) / sizeof(float)) / elapsed;                                \
    }

#define FIRST256(x) _mm_cvtss_f32(_mm256_castps256_ps128(x))
#define FIRST512(x) _mm_cvtss_f32(_mm512_castps512_ps128(x))
PEAK(peak_avx2, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, FIRST256)
PEAK(peak_avx512, "avx512f,fma", __m512, _mm512_set1_ps, _mm512_fmadd_ps, FIRST512)

double sinew_fma_peak(long rounds) {
    volatile float sink = 0;
    if (__builtin_cpu_supports("avx512f")) return peak_avx512(rounds, &sink);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return peak_avx2(rounds, &sink);
    return 0;
}
#else
double sinew_fma_peak(long rounds) {
    (void)rounds;
    return 0;
}
#endif
