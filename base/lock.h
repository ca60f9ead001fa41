// A folder belongs to one run at a time. A FolderLock holds a file FOLDER/.gradus.lock that says
// who has it; another process that wants the folder gets an Error with host, process and time.
//
// What is true: the lock is the kernel's (flock), so it ends with its process, however that ends,
// and containers with equal process numbers are told apart. Where another machine shares the folder
// and its kernel does not tell of locks, the file itself is believed while it is fresh: its holder
// touches it.
#pragma once

#include <filesystem>
#include <memory>

namespace gradus {

class FolderLock {
 public:
  // The folder must be there. Locks of one folder by the same process are one lock.
  explicit FolderLock(const std::filesystem::path& folder);
  void touch() const;  // it is still held: for other machines

 private:
  struct Held;
  std::shared_ptr<Held> held_;
};

}  // namespace gradus
