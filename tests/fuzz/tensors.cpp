// Weights: safetensors, both forms of torch.save, a pickle in a sound archive, TensorFlow's bundle.
#include "gradus/base/file.h"
#include "gradus/io/leveldb_table.h"
#include "gradus/io/safetensors.h"
#include "gradus/io/tf_checkpoint.h"
#include "gradus/io/torch_file.h"
#include "gradus/io/zip.h"
#include "gradus/ops/ops.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/replaced.h"
#include "tests/support.h"

namespace gradus::testing {
namespace {
namespace fs = std::filesystem;

const fs::path fixtures = fs::path(GRADUS_SOURCE_ROOT) / "tests" / "fixtures";

// All that is in it; a tensor costs no more memory than its file.
void read_all(const TensorFile& file) {
  for (const auto& [name, tensor] : file.entries()) {
    if (!tensor.is_readable() || tensor.shape.numel() > 1'000'000) continue;
    Tensor values = zeros(tensor.shape);
    file.read(name, values);
    if (!tensor.same_values(tensor)) throw Finding("a tensor of '" + name + "' is not itself");
    tensor.count_not_finite();
  }
}

template <class File>
void read_as(const fs::path& path, std::string_view bytes) {
  put(path, std::string(bytes));
  read_all(File(path));
}

std::vector<std::string> files(const std::vector<std::string>& names) {
  std::vector<std::string> all;
  for (const std::string& name : names) all.push_back(read_file(fixtures / name));
  return all;
}

std::string small_safetensors() {
  const Scratch scratch;
  write_safetensors(scratch / "s", {{"a", ones({2, 3})}, {"b", arange(4)}}, StoredAs::it_is,
                    {{"format", "pt"}});
  return read_file(scratch / "s");
}

// The archive of a fixture, and the number of its pickle.
struct Archive {
  std::vector<ZipEntry> entries;
  size_t pickle = 0;
  Archive() {
    const std::string bytes = read_file(fixtures / "weights" / "views.bin");
    for (const auto& [name, content] : read_stored_zip(bytes, "views.bin")) {
      if (name.ends_with("/data.pkl")) pickle = entries.size();
      entries.push_back({name, std::string(content)});
    }
  }
};

const std::string index_name = "index", entries_name = "entries", data_name = "data";

// A table's entries, each with the lengths of its parts before it: so mutations find them.
std::string listed(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string text;
  for (const auto& [key, value] : entries) {
    append(text, key.size(), 1), append(text, value.size(), 2);
    text += key + value;
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> entries_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> entries;
  const auto take = [&](size_t size) {
    const std::string part(text.substr(0, size));
    text.remove_prefix(part.size());
    return part;
  };
  const auto number = [&](size_t bytes) {
    size_t value = 0;
    const std::string part = take(bytes);
    for (size_t i = 0; i < part.size(); ++i)
      value |= static_cast<size_t>(static_cast<unsigned char>(part[i])) << (8 * i);
    return value;
  };
  while (text.size() >= 3) {
    const size_t key = number(1), value = number(2);
    entries.emplace_back();
    entries.back().first = take(key);
    entries.back().second = take(value);
  }
  return entries;
}

std::vector<std::string> tensorflow_seeds() {
  const std::string prefix = (fixtures / "tf-bert" / "bert_model.ckpt").string();
  const std::string index = read_file(prefix + ".index");
  std::vector<std::pair<std::string, std::string>> entries;
  for_each_table_entry(index, "index", [&](const std::string& key, std::string_view value) {
    entries.emplace_back(key, value);
  });
  return {index_name + "\n" + index, entries_name + "\n" + listed(entries),
          data_name + "\n" + read_file(prefix + ".data-00001-of-00002")};
}

void read_tensorflow(std::string_view input) {
  static const struct Checkpoint {
    Scratch scratch;
    std::string prefix = (scratch / "m.ckpt").string();
    Checkpoint() {
      for (const char* part : {".index", ".data-00000-of-00002", ".data-00001-of-00002"})
        fs::copy((fixtures / "tf-bert" / "bert_model.ckpt").string() + part, prefix + part);
    }
  } whole;
  const auto [name, bytes] = named(input);
  if (name == index_name || name == entries_name) {
    const Replaced index(whole.prefix + ".index",
                         name == index_name ? std::string(bytes) : table_of(entries_of(bytes)));
    read_all(TfCheckpoint(whole.prefix));
  } else if (name == data_name) {
    const Replaced data(whole.prefix + ".data-00001-of-00002", bytes);
    read_all(TfCheckpoint(whole.prefix));
  }
}

}  // namespace

Formats tensor_formats() {
  return {
      {"safetensors",
       [] {
         auto seeds = files({"tiny-bert/model.safetensors"});
         seeds.push_back(small_safetensors());
         return seeds;
       },
       [](std::string_view input) {
         static const Scratch scratch;
         read_as<SafetensorsFile>(scratch / "model.safetensors", input);
       }},
      {"torch",
       [] {
         return files({"weights/views.bin", "weights/views-legacy.bin", "weights/half.bin"});
       },
       [](std::string_view input) {
         static const Scratch scratch;
         read_as<TorchFile>(scratch / "pytorch_model.bin", input);
       }},
      {"pickle",
       [] {
         const Archive archive;
         return std::vector{archive.entries[archive.pickle].bytes};
       },
       [](std::string_view input) {
         static const Scratch scratch;
         static Archive archive;
         archive.entries[archive.pickle].bytes = input;
         read_as<TorchFile>(scratch / "pytorch_model.bin", make_zip(archive.entries));
       }},
      {"tensorflow", tensorflow_seeds, read_tensorflow, true},
  };
}

}  // namespace gradus::testing
