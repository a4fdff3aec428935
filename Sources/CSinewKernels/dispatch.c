#include "sinew_kernels.h"
