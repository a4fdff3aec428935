#if defined(__x86_64__)
#include "vector__avx2.h"

SINEW_TARGET_PUSH
#define SGEMM_NAME sinew_sgemm_6x16__avx2
#define SGEMM_MR 6
#define SGEMM_NV 2
#define SGEMM_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define SGEMM_WIDE(X) X(1, 2) X(1, 3) X(1, 4) X(2, 2) X(2, 3) X(3, 2)
#include "../templates/sgemm.h"
SINEW_TARGET_POP
#endif
