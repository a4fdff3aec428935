#if defined(__aarch64__)
#include "vector__neon.h"

#define MIX_ROWS_NAME sinew_mix_rows__neon
#include "../templates/mix_rows.h"
#endif
