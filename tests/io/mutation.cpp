// Every format, damaged in thousands of ways from a seed: whatever a file holds, it is read or
// refused with an Error. Built with -Db_sanitize=address,undefined this is also the proof that no
// reader leaves its file.
#include "gradus/base/random.h"
#include "gradus/io/leveldb_table.h"
#include "gradus/io/safetensors.h"
#include "gradus/io/tf_checkpoint.h"
#include "gradus/io/torch_file.h"
#include "gradus/io/zip.h"
#include "gradus/ops/ops.h"
#include "tests/io/byte_files.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {

const fs::path fixtures = fs::path(GRADUS_SOURCE_ROOT) / "tests" / "fixtures";

// Changes one to four things: a bit, a byte, a number of four bytes, the end, a run of bytes moved.
std::string damaged(std::string bytes, Random& random) {
  const int64_t times = random.between(1, 4);
  for (int64_t t = 0; t < times && !bytes.empty(); ++t) {
    const auto size = static_cast<int64_t>(bytes.size());
    const auto at =
        // headers more often
        static_cast<size_t>(random.below(2) ? random.below(size)
                                            : random.below(std::min<int64_t>(size, 512)));
    switch (random.below(6)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8))); break;
      case 1: bytes[at] = static_cast<char>(random.below(256)); break;
      case 2:
        bytes.replace(at, 4,
                      random.below(2) ? std::string("\xff\xff\xff\x7f") : std::string(4, '\xff'));
        break;
      case 3: bytes.resize(at); break;
      case 4: bytes.insert(at, bytes, static_cast<size_t>(random.below(size)), 16); break;
      default: bytes.erase(at, static_cast<size_t>(random.between(1, 16)));
    }
  }
  return bytes;
}

// Opens and reads everything that is small enough for a test; false where an Error was thrown.
template <class File>
bool reads(const fs::path& path) {
  try {
    const File file(path);
    for (const auto& [name, tensor] : file.entries()) {
      CHECK(tensor.shape.numel() < 1'000'000);
      if (!tensor.is_readable()) continue;
      Tensor values = zeros(tensor.shape);
      file.read(name, values);
      CHECK(tensor.same_values(tensor));
    }
    return true;
  } catch (const Error&) { return false; }
}

// `file` is damaged beside its neighbours, `opened` is what is opened. Both outcomes must occur, or
// nothing was tested.
template <class File>
void damage(const fs::path& folder, const std::string& file, const std::string& opened, int times,
            bool must_read = true) {
  const Scratch scratch;
  for (const auto& entry : fs::directory_iterator(folder))
    fs::copy(entry.path(), scratch / entry.path().filename().string());
  const std::string whole = read_file(scratch / file);
  REQUIRE(reads<File>(scratch / opened));
  Random random(7, whole.size());
  int read = 0;
  for (int i = 0; i < times; ++i) {
    put(scratch / file, damaged(whole, random));
    read += reads<File>(scratch / opened);
  }
  CHECK_MESSAGE(read < times, file);
  if (must_read) CHECK_MESSAGE(read > 0, file);
}

}  // namespace

TEST_CASE("damaged safetensors") {
  damage<SafetensorsFile>(fixtures / "tiny-bert", "model.safetensors", "model.safetensors", 2000);
}

TEST_CASE("damaged files of torch.save, in both forms") {
  for (const char* name : {"views.bin", "zip.bin", "views-legacy.bin", "legacy.bin"})
    damage<TorchFile>(fixtures / "weights", name, name, 2000);
}

TEST_CASE("damaged pickles in a sound archive, where no checksum notices them") {
  const std::string archive = read_file(fixtures / "weights" / "views.bin");
  std::vector<ZipEntry> entries;
  for (const auto& [name, content] : read_stored_zip(archive, "views.bin"))
    entries.push_back({name, std::string(content)});
  ZipEntry& pickle = *std::find_if(entries.begin(), entries.end(),
                                   [](const ZipEntry& e) { return e.name.ends_with("/data.pkl"); });
  const std::string whole = pickle.bytes;
  const Scratch scratch;
  Random random(11);
  int read = 0;
  for (int i = 0; i < 4000; ++i) {
    pickle.bytes = damaged(whole, random);
    put(scratch / "m.bin", make_zip(entries));
    read += reads<TorchFile>(scratch / "m.bin");
  }
  CHECK(read > 0);
  CHECK(read < 4000);
}

TEST_CASE("damaged TensorFlow checkpoints") {
  damage<TfCheckpoint>(fixtures / "tf-bert", "bert_model.ckpt.index", "bert_model.ckpt", 3000,
                       false);  // its checksums notice nearly everything
  damage<TfCheckpoint>(fixtures / "tf-bert", "bert_model.ckpt.data-00000-of-00002",
                       "bert_model.ckpt", 300, false);
}

TEST_CASE("damaged entries in a sound index, where no checksum notices them") {
  const fs::path prefix = fixtures / "tf-bert" / "bert_model.ckpt";
  const Scratch scratch;
  for (const char* part : {".data-00000-of-00002", ".data-00001-of-00002"})
    fs::copy(prefix.string() + part, (scratch / "m.ckpt").string() + part);
  const std::string index = read_file(prefix.string() + ".index");
  std::vector<std::pair<std::string, std::string>> entries;
  for_each_table_entry(index, "index", [&](const std::string& key, std::string_view value) {
    entries.emplace_back(key, value);
  });
  Random random(13);
  int read = 0;
  for (int i = 0; i < 4000; ++i) {
    auto changed = entries;
    auto& [key, value] =
        changed[static_cast<size_t>(random.below(static_cast<int64_t>(entries.size())))];
    std::string& part = random.below(8) ? value : key;
    part = damaged(part, random);
    put(scratch / "m.ckpt.index", table_of(changed));
    read += reads<TfCheckpoint>(scratch / "m.ckpt");
  }
  CHECK(read > 0);
  CHECK(read < 4000);
}
