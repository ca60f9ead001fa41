// What is not finished yet: a file or folder under a name of its own, beside the one that it will
// get. Where a signal ends the program, what is still temporary is removed first.
#pragma once

#include <filesystem>
#include <string>

namespace gradus {

// "PATH.tmp-1f0c9a44d2e7": a name beside `path`, the same for no two writers on any machine.
std::filesystem::path temporary_beside(const std::filesystem::path& path);

// Keeps a file or folder of files on the list of what is removed; its end takes it off the list and
// removes it, unless it was kept.
class Temporary {
 public:
  explicit Temporary(std::filesystem::path path);
  ~Temporary();
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  const std::filesystem::path& path() const { return path_; }
  void keep();  // it has got its real name

 private:
  std::filesystem::path path_;
  int place_;
};

// Whether this process is writing it now.
bool is_being_written(const std::filesystem::path& path);

// SIGINT, SIGTERM and SIGHUP remove what is temporary and end the program, as they would by
// default; one that is ignored (nohup) stays so. For programs: `gradus` calls it first.
void remove_temporaries_on_signals();

}  // namespace gradus
