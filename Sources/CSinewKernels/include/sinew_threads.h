/// What threads need of the processor and of Linux that Swift cannot call: a hint, GNU extensions.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Tells the processor that this is a waiting loop: saves power, and gives way to the other thread of a core.
static inline void sinew_spin_hint(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

/// Writes to `processors` (room for `capacity` numbers) which processors the calling thread may run on, ascending.
///
/// @return how many there are; 0 when the kernel does not say
size_t sinew_allowed_processors(int *processors, size_t capacity);

/// Lets the calling thread, and those it starts from now on, run on `count` processors alone.
///
/// @return 0, or an errno: EINVAL when none of them is allowed or a number is out of range
int sinew_restrict_calling_thread(const int *processors, size_t count);

/// Gives the calling thread a name for `top -H` and debuggers; the kernel keeps 15 bytes.
void sinew_name_calling_thread(const char *name);
