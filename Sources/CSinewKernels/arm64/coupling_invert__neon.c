#if defined(__aarch64__)
#include "vector__neon.h"

SINEW_COUPLING(sinew_coupling_invert__neon, v_coupling_invert)
#endif
