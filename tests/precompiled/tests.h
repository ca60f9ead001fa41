// What nearly every test includes from outside, parsed once for each test program.
#ifndef GRADUS_PRECOMPILED_TESTS_H  // a guard, for GCC warns of #pragma once in a header that is compiled by itself
#define GRADUS_PRECOMPILED_TESTS_H

#include <doctest/doctest.h>

#include "../../base/precompiled/library.h"

#endif
