#include "vector__portable.h"

#define MIX_ROWS_NAME sinew_mix_rows__portable
#include "../templates/mix_rows.h"
