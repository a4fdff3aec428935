#if defined(__x86_64__)
#include "vector__avx2.h"

SINEW_TARGET_PUSH
#define MIX_ROWS_NAME sinew_mix_rows__avx2
#include "../templates/mix_rows.h"
SINEW_TARGET_POP
#endif
