// Which lines of a text were there before, by their hashes: 8 bytes a line, in a file.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "gradus/base/spool.h"

namespace gradus {

class SeenLines {
 public:
  // Keeps the first `kept` lines of an earlier one that used the file.
  explicit SeenLines(const std::filesystem::path& file, int64_t kept = 0);

  int64_t add(std::string_view line);  // its number, from 0
  int64_t size() const { return hashes_.size(); }
  void sync() { hashes_.sync(); }

  // How many repeat an earlier one; `which`, if given, says by number which they are.
  int64_t repeated(std::vector<bool>* which);

 private:
  std::filesystem::path file_;
  Spool<uint64_t> hashes_;
};

}  // namespace gradus
