#if defined(__x86_64__)
#include "vector__avx2.h"

SINEW_TARGET_PUSH
SINEW_COUPLING(sinew_coupling_invert__avx2, v_coupling_invert)
SINEW_TARGET_POP
#endif
