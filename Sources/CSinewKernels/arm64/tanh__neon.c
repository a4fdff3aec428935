#if defined(__aarch64__)
#include "vector__neon.h"

SINEW_MAP(sinew_tanh__neon, v_tanh)
#endif
