#include "gradus/io/event_file.h"

#include "gradus/base/file.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

TEST_CASE("event files: a record is, byte for byte, TensorBoard's own") {
  const std::string wanted =  // tests/fixtures/make_event_record.py
      "3700000000000000e7e8ca5909000000000000f83f10ac022a290a110a0a747261696e2f6c6f7373150000803e0a"
      "140a0d6576616c2f616363757261637915"
      "82a8fbb74bd76d1c";
  std::string hex;
  for (const char c : event_record(1.5, 300, {{"train/loss", 0.25}, {"eval/accuracy", -3e-5}}))
    hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  CHECK(hex == wanted);
}

TEST_CASE("event files: one in the run's folder, each record there as soon as it is written") {
  const Scratch scratch;
  write_file(scratch / "events.out.tfevents.1.gradus", "an earlier run's");
  write_file(scratch / "events.out.tfevents.1.torch", "another program's");
  EventFile events(scratch / "");
  CHECK(std::filesystem::exists(scratch / "events.out.tfevents.1.torch"));
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(scratch / ""))
    if (entry.path().extension() == ".gradus") file = entry.path();
  CHECK(file.filename().string().starts_with("events.out.tfevents."));
  const size_t before = read_file(file).size();
  CHECK_MENTIONS(read_file(file), "brain.Event:2");
  events.write(1, {{"train/loss", 2.0}});
  CHECK(read_file(file).size() == before + event_record(0, 1, {{"train/loss", 2.0}}).size());
  CHECK_FALSE(std::filesystem::exists(scratch / "events.out.tfevents.1.gradus"));
  CHECK_MENTIONS(error_of([&] { EventFile lost(scratch / "missing"); }),
                 "missing/events.out.tfevents.");
}
