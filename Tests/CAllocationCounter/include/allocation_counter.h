/// Counts the memory allocations of the whole process, all threads together, while counting is on.
///
/// The library defines `malloc` and its relatives, so that every allocation of the program it is linked into comes here first.
#pragma once
#include <stdbool.h>
#include <stddef.h>

/// Whether this build can count; sanitizers bring allocators of their own.
bool sinew_can_count_allocations(void);

/// Starts at zero.
void sinew_count_allocations(void);

/// Stops counting and returns how many allocations there were.
size_t sinew_counted_allocations(void);
