#if defined(__x86_64__)
#include "vector__avx512.h"

SINEW_TARGET_PUSH
SINEW_MAP(sinew_exp__avx512, v_exp)
SINEW_TARGET_POP
#endif
