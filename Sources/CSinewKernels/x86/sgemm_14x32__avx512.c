#if defined(__x86_64__)
#include "vector__avx512.h"

SINEW_TARGET_PUSH
#define SGEMM_NAME sinew_sgemm_14x32__avx512
#define SGEMM_MR 14
#define SGEMM_NV 2
#define SGEMM_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define SGEMM_WIDE(X) X(1, 2) X(1, 3) X(1, 4) X(1, 8) X(2, 2) X(2, 3) X(2, 4) X(3, 2) X(4, 2)
#define SGEMM_QUANTUM VF_HALF
#include "../templates/sgemm.h"
SINEW_TARGET_POP
#endif
