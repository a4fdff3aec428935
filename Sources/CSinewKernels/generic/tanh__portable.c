#include "vector__portable.h"

SINEW_MAP(sinew_tanh__portable, v_tanh)
