#if defined(__x86_64__)
#include "vector__avx512.h"

SINEW_TARGET_PUSH
SINEW_COUPLING(sinew_coupling_update__avx512, v_coupling_update)
SINEW_TARGET_POP
#endif
