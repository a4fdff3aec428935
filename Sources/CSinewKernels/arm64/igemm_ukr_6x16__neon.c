#if defined(__aarch64__)
#include "int8__neon.h"

#define IGEMM_NAME sinew_igemm_ukr_6x16__neon
#define IGEMM_MR 6
#define IGEMM_NV 4
#define IGEMM_GROUP 1
#define IGEMM_CASES(X) X(1) X(2) X(3) X(4) X(5) X(6)
#include "../templates/igemm_ukr.h"
#endif
