#include "gradus/data/seen_lines.h"

#include "gradus/base/file.h"

namespace gradus {
namespace {

struct Seen {
  uint64_t hash;
  int64_t line;
  friend auto operator<=>(const Seen&, const Seen&) = default;
};

}  // namespace

SeenLines::SeenLines(const std::filesystem::path& file, int64_t kept)
    : file_(file), hashes_(file, kept) {}

int64_t SeenLines::add(std::string_view line) {
  hashes_.push_back(hash_bytes(line));
  return hashes_.size() - 1;
}

int64_t SeenLines::repeated(std::vector<bool>* which) {
  const std::filesystem::path place = file_.string() + "-sorted";
  Spool<Seen> all(place);
  int64_t line = 0;
  for (const uint64_t hash : hashes_.map()) all.push_back({hash, line++});
  if (which) which->assign(static_cast<size_t>(line), false);
  int64_t count = 0;
  Seen before{0, -1};
  external_sort(all, [&](const Seen& now) {
    if (before.line >= 0 && before.hash == now.hash) {
      ++count;
      if (which) (*which)[static_cast<size_t>(now.line)] = true;
    }
    before = now;
  });
  std::filesystem::remove(place);
  return count;
}

}  // namespace gradus
