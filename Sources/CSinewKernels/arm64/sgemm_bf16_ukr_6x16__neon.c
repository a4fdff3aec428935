#if defined(__aarch64__)
#include "vector__neon.h"

#define UKR_BF16
#define UKR_NAME sinew_sgemm_bf16_ukr_6x16__neon
#define UKR_MR 6
#define UKR_NV 4
#define UKR_CASES(X) X(1) X(2) X(3) X(4) X(5) X(6)
#include "../templates/sgemm_ukr.h"
#endif
