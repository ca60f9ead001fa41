// What has changed in a model's folder since it was written is noticed, and a folder changes at
// once.
#include <cstring>

#include "gradus/base/folder.h"
#include "gradus/base/json.h"
#include "gradus/base/random.h"
#include "gradus/io/safetensors.h"
#include "gradus/models/heads.h"
#include "tests/io/small_model.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {

void load_classifier(const fs::path& folder) {
  BertForTask model(BertHead::sequence_classification, load_config(folder));
  load_parameters(folder, parameters(model));
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("a flipped bit, a shifted vocabulary and swapped labels are refused") {
  const Scratch scratch;
  const fs::path folder = scratch / "model", weights = folder / "model.safetensors";
  save_small_classifier(folder, {"no", "yes"});
  load_classifier(folder);
  const std::string whole = read_file(weights);
  uint64_t header = 0;
  std::memcpy(&header, whole.data(), sizeof header);
  const size_t payload = sizeof header + header;
  Random random(7);
  for (int i = 0; i < 200; ++i) {
    std::string bytes = whole;
    const auto place =
        payload + static_cast<size_t>(random.below(static_cast<int64_t>(bytes.size() - payload)));
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << random.below(8)));
    write_file(weights, bytes);
    CHECK_MENTIONS(error_of([&] { load_classifier(folder); }), "changed");
  }
  write_file(weights, whole);

  const std::string vocabulary = read_file(folder / "vocab.txt");
  write_file(folder / "vocab.txt", replaced(vocabulary, "a\nb\n", "b\na\n"));
  CHECK_MENTIONS(error_of([&] { load_classifier(folder); }), "the vocabulary is not the one",
                 "model.safetensors", "gradus convert");
  write_file(folder / "vocab.txt", vocabulary);

  const std::string config = read_file(folder / "config.json");
  write_file(folder / "config.json", replaced(replaced(config, "\"0\": \"no\"", "\"0\": \"yes\""),
                                              "\"1\": \"yes\"", "\"1\": \"no\""));
  CHECK_MENTIONS(error_of([&] { load_classifier(folder); }), "config.json is not the one");
  // what changes no answer may change
  write_file(folder / "config.json",
             replaced(config, "\"hidden_dropout_prob\": 0.1", "\"hidden_dropout_prob\": 0.2"));
  load_classifier(folder);
}

TEST_CASE("folders without hashes load as ever; numbers that are not finite do not") {
  const Scratch scratch;
  const fs::path folder = scratch / "model";
  save_small_classifier(folder, {"no", "yes"});
  BertForTask model(BertHead::sequence_classification, load_config(folder));
  NamedTensors tensors;
  for (const Parameter& p : parameters(model)) tensors.emplace_back(p.name, clone(p.view()));
  write_safetensors(folder / "model.safetensors", tensors);  // no word of config and vocabulary
  write_file(folder / "vocab.txt", replaced(read_file(folder / "vocab.txt"), "a\nb\n", "b\na\n"));
  load_classifier(folder);
  tensors[3].second.write<float>()[2] = std::nanf("");
  write_safetensors(folder / "model.safetensors", tensors);
  CHECK_MENTIONS(error_of([&] { load_classifier(folder); }), tensors[3].first,
                 "1 values that are not finite");
}

TEST_CASE("a folder changes at once: files of another form go, others stay") {
  const Scratch scratch;
  const fs::path folder = scratch / "model";
  fs::create_directories(folder / "checkpoint-7");
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors", "pytorch_model.bin",
                           "notes.txt", "checkpoint-7/x"})
    write_file(folder / name, name);
  save_small_classifier(folder, {"no", "yes"});
  load_classifier(folder);
  for (const char* gone : {"adapter_config.json", "adapter_model.safetensors", "pytorch_model.bin"})
    CHECK_MESSAGE(!fs::exists(folder / gone), std::string(gone));
  CHECK(read_file(folder / "notes.txt") == "notes.txt");
  CHECK(read_file(folder / "checkpoint-7/x") == "checkpoint-7/x");
  save_small_classifier(folder, {"yes", "no"}, 2);  // a swap of the whole folder
  load_classifier(folder);
  CHECK(read_file(folder / "checkpoint-7/x") == "checkpoint-7/x");
  for (const auto& entry : fs::directory_iterator(scratch.path()))
    CHECK(entry.path().filename() == "model");
  for (const auto& entry : fs::directory_iterator(folder))
    CHECK(entry.path().filename().string().find("tmp") == std::string::npos);
}

TEST_CASE("a folder under the name of a model's file is refused before anything is written") {
  const Scratch scratch;
  const fs::path folder = scratch / "model";
  save_small_classifier(folder, {"no", "yes"});
  fs::remove(folder / "config.json");
  fs::create_directories(folder / "config.json");
  const std::string weights = read_file(folder / "model.safetensors");
  try {
    save_small_classifier(folder, {"yes", "no"}, 2);
    FAIL("saved");
  } catch (const Error& error) {
    CHECK(error.exit_code == 2);
    CHECK(std::string(error.what()) ==
          (folder / "config.json").string() +
              " is a folder, and a file of that name is to be written; move it away");
  }
  CHECK(read_file(folder / "model.safetensors") == weights);
}
