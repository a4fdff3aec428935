#if defined(__x86_64__)
#include "int8__avx2.h"

SINEW_TARGET_PUSH
#define IGEMM_NAME sinew_igemm_ukr_6x16__avx2
#define IGEMM_MR 6
#define IGEMM_NV 2
#define IGEMM_GROUP 2
#define IGEMM_CASES(X) X(1) X(2) X(3) X(4) X(5) X(6)
#include "../templates/igemm_ukr.h"
SINEW_TARGET_POP
#endif
