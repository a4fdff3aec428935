/// The bounds of the machine this runs on: multiply-add peak of a core, read bandwidth, and what the processor is called.
#pragma once
#include <stddef.h>

/// Runs independent fused multiply-adds in registers for about `rounds` · 1 µs and returns floating-point operations per second.
/// Uses the widest instruction set of the machine; 0 where it has none that we measure.
double sinew_fma_peak(long rounds);

/// Reads `bytes` bytes in order, again and again for at least `seconds` of processor time, and returns bytes per second.
/// With `bytes` well over the last cache this is the memory's read bandwidth for one core; with less, a cache's.
/// Returns 0 when there is no memory for the buffer.
double sinew_read_bandwidth(size_t bytes, double seconds);

/// Processor time of the calling thread, in seconds.
double sinew_thread_seconds(void);

/// Writes the name of the processor, as /proc/cpuinfo has it, to `name` (`capacity` bytes, zero-terminated; empty when unknown).
void sinew_processor_name(char *name, size_t capacity);
