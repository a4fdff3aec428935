#if defined(__aarch64__)
#include "vector__neon.h"

SINEW_MAP(sinew_exp__neon, v_exp)
#endif
