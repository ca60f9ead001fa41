// What nearly every source file of the library includes from outside, parsed once. No file depends on it: -Db_pch=false builds the same.
#ifndef GRADUS_PRECOMPILED_LIBRARY_H  // a guard, for GCC warns of #pragma once in a header that is compiled by itself
#define GRADUS_PRECOMPILED_LIBRARY_H

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#endif
