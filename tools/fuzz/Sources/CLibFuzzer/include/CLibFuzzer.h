#ifndef SINEW_LIBFUZZER_H
#define SINEW_LIBFUZZER_H
#include <stddef.h>
#include <stdint.h>

/* libFuzzer's main as a function; the runtime that -sanitize=fuzzer links has it. */
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*run)(const uint8_t *bytes, size_t count));

#endif
