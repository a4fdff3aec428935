/// What the templates need of the compiler: forced inlining and full unrolling, so that constant tile sizes become code.
#pragma once
#define SINEW_INLINE static inline __attribute__((always_inline, unused))
#define SINEW_UNROLL _Pragma("clang loop unroll(full)")
