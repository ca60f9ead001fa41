#include "gradus/text/text_files.h"

#include "gradus/base/byte_stream.h"
#include "gradus/base/file.h"
#include "tests/compressed.h"
#include "tests/support.h"

namespace gradus {
namespace {

using testing::error_of;
using testing::gzip;
using testing::Scratch;
using testing::zstd;
using Told = std::vector<std::string>;

std::string all_of(const std::filesystem::path& path) {
  ByteStream stream(path);
  std::string all;
  char part[7];
  while (const size_t got = stream.read(part, sizeof part)) all.append(part, got);
  CHECK(stream.taken() == static_cast<int64_t>(std::filesystem::file_size(path)));
  CHECK(stream.hash() == hash_bytes(read_file(path)));
  return all;
}

// The lines, a part of a long one with +, the last of a record with ;
Told lines(const std::filesystem::path& path, const TextFormat& format = {}, int64_t skip = 0) {
  TextFileReader reader(path, format, skip);
  Told told;
  for (TextLine line; reader.next(line);)
    told.push_back(fmt::format("{} {}{}{}", line.number, line.text, line.part ? "+" : "",
                               line.ends_record ? ";" : ""));
  return told;
}

TEST_CASE("compressed files are read as what they were, whatever their name") {
  const Scratch scratch;
  std::string text;
  for (int i = 0; i < 100000; ++i) text += fmt::format("line {} of it\n", i * i);
  write_file(scratch / "plain", text);
  write_file(scratch / "a.gz", gzip(text));
  write_file(scratch / "a.zst", zstd(text));
  write_file(scratch / "two", gzip(text) + gzip("and more"));
  write_file(scratch / "two.zst", zstd(text) + zstd("") + zstd("and more"));
  CHECK(all_of(scratch / "plain") == text);
  CHECK(all_of(scratch / "a.gz") == text);
  CHECK(all_of(scratch / "a.zst") == text);
  CHECK(all_of(scratch / "two") == text + "and more");
  CHECK(all_of(scratch / "two.zst") == text + "and more");
  for (const std::string short_text : {"", "\x1f", "\x28\xb5\x2f", "a"}) {
    write_file(scratch / "short", short_text);
    CHECK(all_of(scratch / "short") == short_text);
  }
}

TEST_CASE("compressed files that are cut off or damaged are refused") {
  const Scratch scratch;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += fmt::format("{} ", i * i);
  for (const auto& whole : {gzip(text), zstd(text)}) {
    write_file(scratch / "cut", whole.substr(0, whole.size() / 2));
    CHECK_MENTIONS(error_of([&] { all_of(scratch / "cut"); }), "cut off");
    write_file(scratch / "cut", whole + whole.substr(0, 9));
    CHECK_MENTIONS(error_of([&] { all_of(scratch / "cut"); }), "cut off");
  }
  std::string damaged = gzip(text);
  damaged[damaged.size() / 2] ^= 0x55;
  write_file(scratch / "damaged", damaged);
  CHECK_MENTIONS(error_of([&] { all_of(scratch / "damaged"); }), "damaged gzip data");
  damaged = zstd(text);
  damaged[6] ^= 0x55;
  write_file(scratch / "damaged", damaged);
  CHECK_MENTIONS(error_of([&] { all_of(scratch / "damaged"); }), "zstd data");
}

TEST_CASE("lines, with the marks of other systems") {
  const Scratch scratch;
  write_file(scratch / "a.txt",
             "\xEF\xBB\xBF"
             "a\r\n\r\nb\rc\n\xC3\xA9");
  CHECK(lines(scratch / "a.txt") == Told{"1 a", "2 ", "3 b\rc", "4 \xC3\xA9"});
  CHECK(lines(scratch / "a.txt", {}, 2) == Told{"3 b\rc", "4 \xC3\xA9"});
  CHECK(lines(scratch / "a.txt", {}, 9).empty());
  write_file(scratch / "a.txt", "a\nb\xFF\n");
  CHECK_MENTIONS(error_of([&] { lines(scratch / "a.txt"); }), "a.txt:2: byte 2 (0xff)");
  CHECK(lines(scratch / "a.txt", {.replace_invalid = true}) == Told{"1 a", "2 b\xEF\xBF\xBD"});
}

TEST_CASE("a line above a MiB comes in parts, cut between words and characters") {
  const Scratch scratch;
  std::string words, letters;
  while (words.size() < 3'000'000) words += "word ";
  while (letters.size() < 2'000'000) letters += "\xC3\xA9";
  write_file(scratch / "a.txt", "x\n" + words + "\n" + letters + "\ny\n");
  TextFileReader reader(scratch / "a.txt", {});
  std::string whole[5];
  for (TextLine line; reader.next(line);) {
    CHECK(line.text.size() <= size_t{1} << 20);
    whole[line.number] += line.text;
  }
  CHECK(whole[1] == "x");
  CHECK(whole[2] == words);
  CHECK(whole[3] == letters);
  CHECK(whole[4] == "y");
  CHECK(lines(scratch / "a.txt", {}, 3) == Told{"4 y"});
}

TEST_CASE("JSON lines") {
  const Scratch scratch;
  const auto in = scratch / "a.jsonl";
  write_file(
      in,
      "{\"text\": \"a\\nb\"}\n\n{\"text\": null, \"n\": 1}\r\n{\"n\": 2, \"text\": \"\\u00e9\"}");
  CHECK(lines(in) == Told{"1 a", "1 b;", "3 ;", "4 \xC3\xA9;"});
  CHECK(lines(in, {}, 1) == Told{"3 ;", "4 \xC3\xA9;"});
  write_file(scratch / "b.jsonl.gz", gzip(read_file(in)));
  CHECK(lines(scratch / "b.jsonl.gz") == lines(in));
  const auto error = [&](const char* text, const TextFormat& format = {}) {
    write_file(in, text);
    return error_of([&] { lines(in, format); });
  };
  CHECK_MENTIONS(error("{\"text\": \"a\"}\nb\n"), "a.jsonl:2: this is no JSON object");
  CHECK_MENTIONS(error("[1]\n"), "a.jsonl:1: this is no JSON object");
  CHECK_MENTIONS(error("{\"a\": 1, \"b\": 2}\n"),
                 "has no 'text' (options.text_column); it has a, b");
  CHECK_MENTIONS(error("{\"text\": 7}\n"), "'text' is number, not a text");
  CHECK_MENTIONS(error("{\"text\": \"a\xFF\"}\n"), "a.jsonl:1");
  // the first of many that are wrong
  std::string many;
  for (int i = 0; i < 500; ++i) many += i < 300 ? "{\"text\": \"a\"}\n" : "{}\n";
  CHECK_MENTIONS(error(many.c_str()), "a.jsonl:301");
}

TEST_CASE("folders, globs and names") {
  const Scratch scratch;
  std::filesystem::create_directories(scratch / "books" / "old");
  for (const char* name :
       {"b.txt", "a.jsonl", "c.txt.gz", "notes.md", "config.json", "old/z.txt.zst"})
    write_file(scratch / "books" / name, "a");
  const auto names = [&](const std::vector<std::filesystem::path>& paths) {
    Told told;
    for (const auto& path : text_files(paths, "--corpus"))
      told.push_back(path == "-" ? "-" : path.lexically_relative(scratch / "books").string());
    return told;
  };
  CHECK(names({scratch / "books"}) == Told{"a.jsonl", "b.txt", "c.txt.gz", "old/z.txt.zst"});
  CHECK(names({scratch / "books" / "*.txt", "-"}) == Told{"b.txt", "-"});
  CHECK(names({scratch / "books" / "notes.md"}) == Told{"notes.md"});
  CHECK_MENTIONS(error_of([&] { names({scratch / "*.csv"}); }), "no file fits it");
  CHECK_MENTIONS(error_of([&] { names({scratch / "none"}); }), "there is no such file");
  CHECK_MENTIONS(error_of([&] { names({"-", "-"}); }), "named twice");
  CHECK_MENTIONS(error_of([&] {
                   names({scratch / "books", scratch / "books" / "b.txt"});
                 }),
                 "named twice");
}

}  // namespace
}  // namespace gradus
