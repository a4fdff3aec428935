#include "include/peak.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double sinew_thread_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// A vector of one cache line; the compiler lowers it to what the function's target has. Eight sums hide the latency of the adds.
typedef uint64_t line __attribute__((vector_size(64)));

#define READER(name, isa)                                                                                              \
    isa static uint64_t name(const line *from, size_t lines) {                                                         \
        line sum[8];                                                                                                   \
        memset(sum, 0, sizeof sum);                                                                                    \
        for (size_t i = 0; i + 8 <= lines; i += 8) {                                                                   \
            _Pragma("clang loop unroll(full)") for (int j = 0; j < 8; j++) sum[j] += from[i + (size_t)j];              \
        }                                                                                                              \
        uint64_t total = 0;                                                                                            \
        for (int j = 0; j < 8; j++) total += sum[j][0] + sum[j][7];                                                    \
        return total;                                                                                                  \
    }

#if defined(__x86_64__)
READER(read_avx512, __attribute__((target("avx512f"), noinline)))
READER(read_avx2, __attribute__((target("avx2"), noinline)))
#endif
READER(read_any, __attribute__((noinline)))

static uint64_t read_all(const line *from, size_t lines) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return read_avx512(from, lines);
    if (__builtin_cpu_supports("avx2")) return read_avx2(from, lines);
#endif
    return read_any(from, lines);
}

double sinew_read_bandwidth(size_t bytes, double seconds) {
    const size_t lines = bytes / sizeof(line) / 8 * 8;
    line *buffer = lines > 0 ? aligned_alloc(sizeof(line), lines * sizeof(line)) : NULL;
    if (buffer == NULL) return 0;
    // Written, so that every page is a real one and not the shared page of zeros.
    memset(buffer, 1, lines * sizeof(line));
    volatile uint64_t sink = read_all(buffer, lines);
    size_t passes = 0;
    double elapsed = 0;
    const double start = sinew_thread_seconds();
    while (elapsed < seconds) {
        // Small buffers are read many times between two looks at the clock.
        const size_t group = 1 + ((size_t)1 << 22) / (lines * sizeof(line));
        for (size_t i = 0; i < group; i++) sink += read_all(buffer, lines);
        passes += group;
        elapsed = sinew_thread_seconds() - start;
    }
    free(buffer);
    return (double)passes * (double)(lines * sizeof(line)) / elapsed;
}

void sinew_processor_name(char *name, size_t capacity) {
    if (capacity == 0) return;
    name[0] = 0;
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (file == NULL) return;
    char text[256];
    while (fgets(text, sizeof text, file) != NULL) {
        const char *colon = strchr(text, ':');
        if (strncmp(text, "model name", 10) != 0 || colon == NULL) continue;
        text[strcspn(text, "\n")] = 0;
        snprintf(name, capacity, "%s", colon + 2);
        break;
    }
    fclose(file);
}
