#if defined(__x86_64__)
#include "int8__avx2.h"

SINEW_TARGET_PUSH
#define QUANTISE_NAME sinew_quantise_row__avx2
#include "../templates/quantise_row.h"
SINEW_TARGET_POP
#endif
