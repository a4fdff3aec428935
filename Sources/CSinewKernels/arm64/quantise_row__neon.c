#if defined(__aarch64__)
#include "int8__neon.h"

#define QUANTISE_NAME sinew_quantise_row__neon
#include "../templates/quantise_row.h"
#endif
