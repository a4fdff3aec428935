#include "allocation_counter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>

static atomic_bool is_counting;
static atomic_size_t allocations;

void sinew_count_allocations(void) {
    atomic_store(&allocations, 0);
    atomic_store(&is_counting, true);
}

size_t sinew_counted_allocations(void) {
    atomic_store(&is_counting, false);
    return atomic_load(&allocations);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SINEW_SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(SINEW_SANITIZED)

bool sinew_can_count_allocations(void) {
    return true;
}

// glibc's own entry points, for programs that put themselves before them.
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static void note(void) {
    if (atomic_load_explicit(&is_counting, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    }
}

void *malloc(size_t size) {
    note();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    note();
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    note();
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    note();
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    void *found = __libc_memalign(alignment, size);
    if (found == NULL) {
        return ENOMEM;
    }
    *block = found;
    return 0;
}

#else

bool sinew_can_count_allocations(void) {
    return false;
}

#endif
