#include "vector__portable.h"

SINEW_MAP(sinew_exp__portable, v_exp)
