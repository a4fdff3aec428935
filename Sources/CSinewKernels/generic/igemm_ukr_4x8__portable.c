#include "int8__portable.h"

#define IGEMM_NAME sinew_igemm_ukr_4x8__portable
#define IGEMM_MR 4
#define IGEMM_NV 8
#define IGEMM_GROUP 1
#define IGEMM_CASES(X) X(1) X(2) X(3) X(4)
#include "../templates/igemm_ukr.h"
