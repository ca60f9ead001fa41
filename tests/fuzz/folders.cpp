// What runs leave for later runs: a corpus, a checkpoint, adapters. Their checksums would notice
// nearly every change; so the changed file may be sealed again, as who forges one would.
#include <csignal>
#include <cstring>

#include "gradus/base/json.h"
#include "gradus/data/corpus_builder.h"
#include "gradus/data/corpus_statistics.h"
#include "gradus/data/instances.h"
#include "gradus/train/adapter_folder.h"
#include "gradus/train/checkpoint.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/replaced.h"
#include "tests/fuzz/small_classifier.h"
#include "tests/train/small_runs.h"

namespace gradus::testing {
namespace {
namespace fs = std::filesystem;

// ---- a corpus: "raw", or "sealed" with checksums and size set right

std::string small_corpus() {
  const Scratch scratch;
  write_file(scratch / "text.txt", "the a b c. a b.\nb c.\n\na a b.\nthe the.\n\nc.\nb.\n");
  build_corpus(scratch / "c.gds", small_tokenizer(),
               {.corpus = {scratch / "text.txt"}, .validation_fraction = 0.3, .seed = 1});
  return read_file(scratch / "c.gds");
}

// Of a payload of one block, as all small ones are.
void seal(std::string& bytes) {
  CorpusHeader header;
  if (bytes.size() <= sizeof header) return;
  std::memcpy(&header, bytes.data(), sizeof header);
  const uint64_t payload = hash_bytes(std::string_view(bytes).substr(sizeof header));
  header.file_size = bytes.size();
  header.payload_checksum = hash_bytes(&payload, sizeof payload);
  header.header_checksum = hash_bytes(&header, offsetof(CorpusHeader, header_checksum));
  std::memcpy(bytes.data(), &header, sizeof header);
}

std::vector<std::string> corpus_seeds() {
  const std::string whole = small_corpus();
  return {"raw\n" + whole, "sealed\n" + whole};
}

void read_corpus(std::string_view input) {
  static const Scratch scratch;
  const auto [name, rest] = named(input);
  std::string bytes(rest);
  if (name == "sealed") seal(bytes);
  else if (name != "raw") return;
  const Replaced file(scratch / "c.gds", bytes);
  const CorpusFile corpus = CorpusFile::open(scratch / "c.gds");
  statistics(corpus);
  InstanceOptions options;
  options.max_seq_length = 16;
  const InstanceSource source(corpus, Split::train, options, 3);
  for (int64_t i = 0; i < std::min<int64_t>(source.size(0), 4); ++i) source.get(0, i);
}

// ---- a checkpoint of a fine-tuning that was stopped, which is then resumed

struct StoppedRun {
  Scratch scratch;
  FinetuneOptions options;
  fs::path checkpoint;
  StoppedRun() {
    options = small_finetuning(scratch);
    options.epochs = 1;
    FinetuneOptions first = options;
    first.before_update.push_back([](const BeforeUpdate& now) {
      if (now.step == 9) std::raise(SIGTERM);
    });
    finetune(first);
    options.resume = true;
    checkpoint = options.out / "checkpoint-9";
    fs::copy(options.out, scratch / "kept", fs::copy_options::recursive);
  }
  // The folder as the first run left it.
  void restore() const {
    fs::remove_all(options.out);
    fs::copy(scratch / "kept", options.out, fs::copy_options::recursive);
  }
};

const StoppedRun& stopped_run() {
  static const StoppedRun run;
  return run;
}

// checkpoint.json says the sizes and hashes that the files have.
void seal_checkpoint(const fs::path& folder, const std::string& name) {
  auto contents = read_ordered_json(folder / "checkpoint.json");
  const std::string bytes = read_file(folder / name);
  contents["files"][name] = {{"bytes", bytes.size()},
                             {"hash", fmt::format("{:016x}", hash_bytes(bytes))}};
  put(folder / "checkpoint.json", contents.dump());
}

std::vector<std::string> checkpoint_seeds() {
  std::vector<std::string> seeds;
  for (const auto& entry : fs::directory_iterator(stopped_run().checkpoint))
    seeds.push_back(entry.path().filename().string() + "\n" + read_file(entry.path()));
  std::sort(seeds.begin(), seeds.end());
  return seeds;
}

void read_checkpoint(std::string_view input) {
  const StoppedRun& run = stopped_run();
  const auto [name, bytes] = named(input);
  if (name.find('/') != std::string::npos ||
      !fs::is_regular_file(run.scratch / "kept/checkpoint-9" / name))
    return;
  run.restore();
  put(run.checkpoint / name, std::string(bytes));
  if (name != "checkpoint.json") seal_checkpoint(run.checkpoint, name);
  try {
    finetune(run.options);
  } catch (const Error& error) {
    // numbers may be any that are finite, and training on them may fail
    if (error.exit_code != 1 || !std::strstr(error.what(), "finite")) throw;
  }
}

// ---- adapters, and the model that they belong to

struct AdapterModel {
  Scratch scratch;
  AdapterModel() {
    save_unhashed_classifier(scratch / "base");
    const BertConfig config = small_classifier_config();
    BertForTask model(BertHead::sequence_classification, config);
    load_parameters(scratch / "base", parameters(model));
    const LoraAdapters adapters(
        model, {2, 4, {"*query.weight", "*value.weight"}, trained_beside_adapters}, 5);
    save_adapters(scratch / "tuned", adapters, scratch / "base", config, small_tokenizer());
    drop_metadata(scratch / "tuned" / "adapter_model.safetensors");
  }
};

const AdapterModel& adapter_model() {
  static const AdapterModel model;
  return model;
}

const std::vector<std::string> adapter_names{"adapter_config.json", "adapter_model.safetensors",
                                             "config.json"};

std::vector<std::string> adapter_seeds() {
  std::vector<std::string> seeds;
  for (const std::string& name : adapter_names)
    seeds.push_back(name + "\n" + read_file(adapter_model().scratch / "tuned" / name));
  // the folder of the base is another one each time
  const std::string base = (adapter_model().scratch / "base").string();
  for (std::string& seed : seeds)
    if (const size_t at = seed.find(base); at != std::string::npos)
      seed.replace(at, base.size(), "BASE");
  return seeds;
}

void read_adapters(std::string_view input) {
  const auto [name, bytes] = named(input);
  if (std::find(adapter_names.begin(), adapter_names.end(), name) == adapter_names.end()) return;
  std::string content(bytes);
  if (const size_t at = content.find("BASE"); at != std::string::npos)
    content.replace(at, 4, (adapter_model().scratch / "base").string());
  const Replaced file(adapter_model().scratch / "tuned" / name, content);
  predict_with(adapter_model().scratch / "tuned");
}

}  // namespace

Formats folder_formats() {
  return {{"corpus", corpus_seeds, read_corpus, true},
          {"checkpoint", checkpoint_seeds, read_checkpoint, true},
          {"adapters", adapter_seeds, read_adapters, true}};
}

}  // namespace gradus::testing
