#include "int8__portable.h"

#define QUANTISE_NAME sinew_quantise_row__portable
#include "../templates/quantise_row.h"
