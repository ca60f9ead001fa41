#include "gradus/base/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "gradus/base/error.h"
#include "gradus/base/file.h"

namespace gradus {
namespace fs = std::filesystem;

namespace {

thread_local std::vector<fs::path> synced_later;

[[noreturn]] void fail_write(const fs::path& path) {
  fail_run("cannot write {}: {}", path.string(), std::strerror(errno));
}

void sync(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  // some file systems have folders that cannot be synced
  const bool failed = file < 0 || (::fsync(file) != 0 && errno != EINVAL && errno != EBADF);
  const int error = errno;
  if (file >= 0) ::close(file);
  errno = error;
  if (failed) fail_write(path);
}

void sync_all(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file()) sync(entry.path());
  sync(folder);
}

void move(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) fail_write(to);
}

// Of a folder that is changed file by file, see FolderChange::move_in().
constexpr const char *before_name = "before", *replaced_name = "replaced";

// The files, as far as they can be moved.
void move_files(const fs::path& from, const fs::path& to) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(from, error))
    if (entry.is_regular_file()) files.push_back(entry.path());
  for (const fs::path& file : files) fs::rename(file, to / file.filename(), error);
}

bool is_among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The second folder of a swap is temporary beside ".NAME.gradus".
fs::path swap_name(const fs::path& folder) {
  return folder.parent_path() / ("." + folder.filename().string() + ".gradus");
}

// Whether what failed says that the disk is full or broken, not that it has no such thing.
bool is_disk_failure() {
  return errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == ENOMEM || errno == EMFILE ||
         errno == ENFILE;
}

bool exchange(const fs::path& a, const fs::path& b) {
  return ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0;
}

fs::path made(fs::path folder) {
  if (::mkdir(folder.c_str(), 0777) != 0) fail_write(folder);
  return folder;
}

// "config.json.tmp-1f0c9a44d2e7"
bool is_temporary(const fs::path& path) {
  const std::string name = path.filename().string();
  const size_t at = name.rfind(".tmp-");
  return at != std::string::npos && name.size() == at + 17;
}

// From the second folder of a swap what the first has not: the folders in it. Then it goes.
void take_over(const fs::path& second, const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(second, error)) {
    const fs::path to = folder / entry.path().filename();
    if (entry.is_directory() && !fs::exists(to) && !is_temporary(to))
      std::rename(entry.path().c_str(), to.c_str());
  }
  fs::remove_all(second, error);
}

// Without its links and its trailing slash: a name that can be swapped.
fs::path real(const fs::path& folder, bool& is_new) {
  std::error_code error;
  is_new = fs::create_directories(folder, error);
  check(!error, "cannot make the folder {}: {}", folder.string(), error.message());
  return fs::canonical(folder);
}

}  // namespace

bool is_synced_later(const fs::path& path) {
  return std::any_of(synced_later.begin(), synced_later.end(), [&](const fs::path& folder) {
    const fs::path parent = path.parent_path();
    return std::mismatch(folder.begin(), folder.end(), parent.begin(), parent.end()).first ==
           folder.end();
  });
}

bool same_bytes(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::file_size(a, error) != fs::file_size(b, error) || error) return false;
  return MappedFile(a).view() == MappedFile(b).view();
}

FolderWriter::FolderWriter(const fs::path& folder)
    : folder_(folder), temporary_(made(temporary_beside(folder))) {
  synced_later.push_back(path());
}

FolderWriter::~FolderWriter() { seal(); }

void FolderWriter::seal() { std::erase(synced_later, path()); }

void FolderWriter::commit() {
  seal();
  sync_all(path());
  const fs::path parent = folder_.has_parent_path() ? folder_.parent_path() : ".";
  if (fs::exists(folder_)) {
    if (!exchange(path(), folder_)) fail_write(folder_);
    sync(parent);
    return;  // what was there is under the temporary name now, and goes with it
  }
  move(path(), folder_);
  temporary_.keep();
  sync(parent);
}

FolderChange::FolderChange(const fs::path& folder, Owned owned)
    : folder_(real(folder, is_new_)), owned_(std::move(owned)) {
  lock_.emplace(folder_);
  recover_folder(folder_);
  refuse_folders_for_files(folder_, owned_);
  staged_.emplace(made(temporary_beside(folder_ / ".gradus")));
  synced_later.push_back(path());
}

FolderChange::~FolderChange() {
  std::erase(synced_later, path());
  staged_.reset();
  lock_.reset();
  std::error_code not_empty;
  if (is_new_) fs::remove(folder_, not_empty);
}

void FolderChange::commit(const std::string& last) {
  std::erase(synced_later, path());
  sync_all(path());
  std::vector<std::string> fresh, gone;
  bool had = false;
  for (const auto& entry : fs::directory_iterator(path())) {
    const std::string name = entry.path().filename().string();
    // the weights are large and differ
    if (name == last || !same_bytes(entry.path(), folder_ / name)) fresh.push_back(name);
  }
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (!owned_(name) || entry.is_directory()) continue;
    had = true;
    if (!fs::exists(path() / name)) gone.push_back(name);
  }
  std::stable_partition(fresh.begin(), fresh.end(),
                        [&](const std::string& name) { return name != last; });
  if (had && fresh.size() + gone.size() > 1) {
    if (!swap(fresh)) move_in(fresh);
    return;
  }
  for (const std::string& name : fresh) move(path() / name, folder_ / name);
  for (const std::string& name : gone) fs::remove(folder_ / name);
  sync(folder_);
}

// By a second folder that is exchanged with this one. False where the file system has no links or
// no such exchange, or this is a mount point.
bool FolderChange::swap(const std::vector<std::string>& fresh) {
  const fs::path parent = folder_.parent_path(), second = temporary_beside(swap_name(folder_));
  const auto cannot = [&] {
    if (is_disk_failure()) fail_write(folder_);
    return false;
  };
  if (::mkdir(second.c_str(), 0777) != 0) return cannot();
  Temporary temporary(second);
  struct stat mode {};
  if (::stat(folder_.c_str(), &mode) == 0) ::chmod(second.c_str(), mode.st_mode & 07777);
  const auto link = [&](const fs::path& file) {
    const fs::path to = second / file.filename();
    return ::linkat(AT_FDCWD, file.c_str(), AT_FDCWD, to.c_str(), 0) == 0;
  };
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (is_among(fresh, name) || (owned_(name) && !fs::exists(path() / name))) continue;
    if (entry.is_directory() && !entry.is_symlink()) continue;
    if (!link(entry.path())) return cannot();
  }
  for (const std::string& name : fresh)
    if (!link(path() / name)) return cannot();
  sync(second);
  if (!exchange(second, folder_)) return cannot();
  sync(parent);
  temporary.keep();
  take_over(second, folder_);
  return true;
}

// File by file: first what is replaced goes into path()/before, the weights first, then comes what
// is new, the weights last. Without weights for a moment, which is no model; never with those of
// another. Where a file cannot be moved, all is moved back; after a kill, recover_folder() does so,
// or, once all that is replaced was out of the way, brings in the rest.
void FolderChange::move_in(const std::vector<std::string>& fresh) {
  const fs::path before = made(path() / before_name), replaced = path() / replaced_name;
  std::vector<std::string> old, brought;
  for (const auto& entry : fs::directory_iterator(folder_))
    if (const std::string name = entry.path().filename().string();
        owned_(name) && !entry.is_directory() &&
        (is_among(fresh, name) || !fs::exists(path() / name)))
      old.push_back(name);
  std::stable_partition(old.begin(), old.end(),
                        [&](const std::string& name) { return name == fresh.back(); });
  try {
    for (const std::string& name : old) move(folder_ / name, before / name);
    sync(folder_);
    move(before, replaced);
    sync(path());
    for (const std::string& name : fresh) {
      move(path() / name, folder_ / name);
      brought.push_back(name);
    }
    sync(folder_);
  } catch (const Error&) {
    std::error_code error;
    for (const std::string& name : brought) fs::rename(folder_ / name, path() / name, error);
    move_files(fs::exists(replaced) ? replaced : before, folder_);
    throw;
  }
}

void refuse_folders_for_files(const fs::path& folder,
                              const std::function<bool(const std::string&)>& owned) {
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && entry.path().has_extension() &&
        owned(entry.path().filename().string()))
      fail("{} is a folder, and a file of that name is to be written; move it away",
           entry.path().string());
}

void recover_folder(const fs::path& given) {
  if (!fs::is_directory(given)) return;
  const fs::path folder = fs::canonical(given);
  std::vector<fs::path> left, swapped;
  std::error_code error;  // a parent that cannot be read has nothing of ours
  const std::string begins = swap_name(folder).filename().string() + ".tmp-";
  for (const auto& entry : fs::directory_iterator(folder.parent_path(), error))
    if (entry.path().filename().string().starts_with(begins)) swapped.push_back(entry.path());
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (is_temporary(entry.path()) && !is_being_written(entry.path())) left.push_back(entry.path());
  for (const fs::path& path : left) {
    move_files(path / before_name, folder);
    if (fs::exists(path / replaced_name)) move_files(path, folder);
    fs::remove_all(path, error);
  }
  for (const fs::path& path : swapped) take_over(path, folder);
}

}  // namespace gradus
