#pragma once
// Debian: apt-get install libopenblas-dev. Nothing but SGEMMBenchmark needs it.
#include <cblas-openblas.h>
