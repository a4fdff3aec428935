/// The multiply-add peak of the core this runs on.
#pragma once

/// Runs independent fused multiply-adds in registers for about `rounds` · 1 µs and returns floating-point operations per second.
/// Uses the widest instruction set of the machine; 0 where it has none that we measure.
double sinew_fma_peak(long rounds);
