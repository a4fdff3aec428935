#include "vector__portable.h"

SINEW_COUPLING(sinew_coupling_update__portable, v_coupling_update)
