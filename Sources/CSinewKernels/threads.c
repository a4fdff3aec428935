#define _GNU_SOURCE
#include "sinew_threads.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/// More processors than any kernel is built for (CONFIG_NR_CPUS is at most 8192).
enum { PROCESSORS_MAX = 8192 };

size_t sinew_allowed_processors(int *processors, size_t capacity) {
    cpu_set_t *set = CPU_ALLOC(PROCESSORS_MAX);
    size_t bytes = CPU_ALLOC_SIZE(PROCESSORS_MAX), count = 0;
    if (set == NULL) {
        return 0;
    }
    CPU_ZERO_S(bytes, set);
    if (sched_getaffinity(0, bytes, set) == 0) {
        for (int processor = 0; processor < PROCESSORS_MAX && count < capacity; processor++) {
            if (CPU_ISSET_S(processor, bytes, set)) {
                processors[count++] = processor;
            }
        }
    }
    CPU_FREE(set);
    return count;
}

int sinew_restrict_calling_thread(const int *processors, size_t count) {
    cpu_set_t *set = CPU_ALLOC(PROCESSORS_MAX);
    size_t bytes = CPU_ALLOC_SIZE(PROCESSORS_MAX);
    if (set == NULL) {
        return ENOMEM;
    }
    CPU_ZERO_S(bytes, set);
    int failure = 0;
    for (size_t index = 0; index < count; index++) {
        if (processors[index] < 0 || processors[index] >= PROCESSORS_MAX) {
            failure = EINVAL;
        } else {
            CPU_SET_S(processors[index], bytes, set);
        }
    }
    if (failure == 0 && sched_setaffinity(0, bytes, set) != 0) {
        failure = errno;
    }
    CPU_FREE(set);
    return failure;
}

void sinew_name_calling_thread(const char *name) {
    char kept[16] = {0};
    strncpy(kept, name, sizeof kept - 1);
    pthread_setname_np(pthread_self(), kept);
}
