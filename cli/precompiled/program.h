// What nearly every source file of the program includes from outside, parsed once. No file depends on it: -Db_pch=false builds the same.
#ifndef GRADUS_PRECOMPILED_PROGRAM_H  // a guard, for GCC warns of #pragma once in a header that is compiled by itself
#define GRADUS_PRECOMPILED_PROGRAM_H

#include <CLI/CLI.hpp>

#include "../../base/precompiled/library.h"

#endif
