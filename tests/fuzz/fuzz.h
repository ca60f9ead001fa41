// Files as strangers send them: every format that Gradus reads, and the way it is read, as a
// function of any bytes. What it is given is read or refused with an Error that says exit code 2;
// whatever else happens is a finding.
//
// fuzzer.cpp lets libFuzzer look for findings (run.py; scripts/check.sh fuzz); replay.cpp is the
// test, which every build runs: the seeds, thousands of damaged ones, and cases/, where each
// finding stays.
#pragma once

#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::testing {

struct Format {
  std::string name;
  // Inputs that are read; what is fed begins from them.
  std::function<std::vector<std::string>()> seeds;
  std::function<void(std::string_view input)> read;
  // The format is several files, or is read in several ways, and the first line of an input says
  // which: "config.json\n{…".
  bool parts = false;
};
using Formats = std::vector<Format>;

Formats tensor_formats();  // safetensors, torch, pickle, tensorflow
Formats text_formats();    // config, tokenizer, text-file, wordpiece
Formats table_formats();   // table, squad, conll
Formats folder_formats();  // corpus, checkpoint, adapters
const Formats& formats();
const Format& format(const std::string& name);

// True where it is read, false where it is refused. Throws a Finding that says what is wrong with
// the refusal; what is thrown by `read` and is no Error goes on.
struct Finding : std::runtime_error {
  using std::runtime_error::runtime_error;
};
bool reads(const Format& format, std::string_view input);

// "name\nrest" as {name, rest}.
struct Named {
  std::string name;
  std::string_view rest;
};
Named named(std::string_view input);

}  // namespace gradus::testing
