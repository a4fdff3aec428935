#if defined(__x86_64__)
#include "int8__avx512vnni.h"

SINEW_TARGET_PUSH_VNNI
#define QUANTISE_NAME sinew_quantise_row__avx512vnni
#include "../templates/quantise_row.h"
SINEW_TARGET_POP
#endif
