// Folders that change at once: whoever opens one, at any moment and after any kill, finds the old
// files or the new ones, never some of each.
//
//   FolderWriter   a new folder that appears whole, under its name
//   FolderChange   new versions of some files of a folder (a model), of which the rest stays
//
//   FolderChange change(folder, model_files);
//   write_file(change.path() / "config.json", …);   // and the others
//   change.commit();
//
// While one of them lives, files written below its path() by this thread are not synced one by one:
// commit() syncs them all, then the folder.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gradus/base/lock.h"
#include "gradus/base/temporary.h"

namespace gradus {

// Whether a file below `path` is synced by a commit() to come.
bool is_synced_later(const std::filesystem::path& path);

class FolderWriter {
 public:
  // `folder` is where it will be; the folder that it lies in must be there.
  explicit FolderWriter(const std::filesystem::path& folder);
  ~FolderWriter();  // without commit() nothing is left behind
  const std::filesystem::path& path() const { return temporary_.path(); }
  // Files are written: from now on another thread may commit.
  void seal();
  // An Error (exit code 1) where the disk does not take it. Replaces a folder of that name.
  void commit();

 private:
  std::filesystem::path folder_;
  Temporary temporary_;
};

class FolderChange {
 public:
  // Which files belong to what changes: of these, those that are not written anew are removed.
  using Owned = std::function<bool(const std::string& name)>;
  // Makes `folder` where there is none, and holds its lock.
  FolderChange(const std::filesystem::path& folder, Owned owned);
  ~FolderChange();
  const std::filesystem::path& path() const { return staged_->path(); }
  // `last`: the file without which the others mean nothing (the weights). A single file that
  // differs is renamed; a folder that had none of the owned files gets them one by one, `last` in
  // the end; otherwise a second folder, with all that stays, is swapped with this one. Where that
  // cannot be (a mount point), the files are moved one by one, and a kill in between is put right
  // by the next that changes the folder.
  void commit(const std::string& last);

 private:
  bool swap(const std::vector<std::string>& fresh);
  void move_in(const std::vector<std::string>& fresh);
  bool is_new_ = false;  // made by this one: taken away again where nothing came into it
  std::filesystem::path folder_;
  Owned owned_;
  std::optional<FolderLock> lock_;
  std::optional<Temporary> staged_;
};

// What a killed FolderChange left of `folder`: it is brought to its end or taken back.
void recover_folder(const std::filesystem::path& folder);

// An Error where a folder stands under the name of a file that is to be written
// ("model.safetensors").
void refuse_folders_for_files(const std::filesystem::path& folder,
                              const std::function<bool(const std::string& name)>& owned);

// Whether two files hold the same bytes; false where one is not there.
bool same_bytes(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace gradus
