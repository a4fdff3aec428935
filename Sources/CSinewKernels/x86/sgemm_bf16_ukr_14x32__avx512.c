#if defined(__x86_64__)
#include "vector__avx512.h"

SINEW_TARGET_PUSH
#define UKR_BF16
#define UKR_NAME sinew_sgemm_bf16_ukr_14x32__avx512
#define UKR_MR 14
#define UKR_NV 2
#define UKR_CASES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#include "../templates/sgemm_ukr.h"
SINEW_TARGET_POP
#endif
