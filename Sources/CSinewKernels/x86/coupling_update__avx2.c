#if defined(__x86_64__)
#include "vector__avx2.h"

SINEW_TARGET_PUSH
SINEW_COUPLING(sinew_coupling_update__avx2, v_coupling_update)
SINEW_TARGET_POP
#endif
