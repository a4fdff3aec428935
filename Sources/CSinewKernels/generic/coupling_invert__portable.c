#include "vector__portable.h"

SINEW_COUPLING(sinew_coupling_invert__portable, v_coupling_invert)
