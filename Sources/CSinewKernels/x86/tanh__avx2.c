#if defined(__x86_64__)
#include "vector__avx2.h"

SINEW_TARGET_PUSH
SINEW_MAP(sinew_tanh__avx2, v_tanh)
SINEW_TARGET_POP
#endif
