// LevelDB's table format (doc/table_format.md of LevelDB): sorted keys and values in blocks, each
// with a CRC-32C. TensorFlow's index files.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace gradus {

// Calls f(key, value) for every entry in the file's order. Errors name `origin`: no table, cut off,
// a damaged or compressed block.
void for_each_table_entry(std::string_view file, const std::string& origin,
                          const std::function<void(const std::string&, std::string_view)>& f);

}  // namespace gradus
