#if defined(__x86_64__)
#include "int8__avx512vnni.h"

SINEW_TARGET_PUSH_VNNI
#define IGEMM_NAME sinew_igemm_ukr_14x32__avx512vnni
#define IGEMM_MR 14
#define IGEMM_NV 2
#define IGEMM_GROUP 4
#define IGEMM_CASES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#include "../templates/igemm_ukr.h"
SINEW_TARGET_POP
#endif
