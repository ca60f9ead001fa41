#include <omp.h>

#include <array>
#include <atomic>

#include "gradus/base/file.h"
#include "gradus/base/parallel.h"
#include "gradus/base/random.h"
#include "gradus/base/range.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

TEST_CASE("a file is replaced whole or not at all") {
  const Scratch scratch;
  write_file(scratch / "a", "one");
  {
    FileWriter writer(scratch / "a");
    writer.write("two, but never committed");
  }
  CHECK(read_file(scratch / "a") == "one");
  CHECK(std::distance(fs::directory_iterator(scratch.path()), fs::directory_iterator()) == 1);
  FileWriter writer(scratch / "a");
  writer.write("header? ");
  writer.write("body");
  writer.seek(0);
  writer.write("header! ");
  writer.commit();
  CHECK(read_file(scratch / "a") == "header! body");
}

TEST_CASE("errors of files name them and the reason") {
  const Scratch scratch;
  CHECK_MENTIONS(error_of([&] { read_file(scratch / "missing"); }), "missing: No such file");
  CHECK_MENTIONS(error_of([&] { read_file(scratch.path()); }), "not a regular file");
  CHECK_MENTIONS(error_of([&] { FileWriter(scratch / "no" / "file"); }), "No such file");
  fs::create_directory(scratch / "full");
  write_file(scratch / "full/x", "");
  CHECK_MENTIONS(error_of([&] { make_output_folder(scratch / "full"); }), "not empty");
  CHECK_MENTIONS(error_of([&] { make_output_folder(scratch / "full/x"); }), "it is a file");
  make_output_folder(scratch / "full", true);
  make_output_folder(scratch / "new/deep");
  CHECK(fs::is_directory(scratch / "new/deep"));
}

TEST_CASE("UTF-8 is checked as Unicode's table 3-7 says") {
  for (const char* good :
       {"", "plain", "é", "€", "\xF0\x9F\x98\x80", "eight by eight long ascii é"})
    CHECK(find_invalid_utf8(good) == std::string_view::npos);
  CHECK(find_invalid_utf8("ab\xff") == 2);
  CHECK(find_invalid_utf8("\xC0\xAF") == 0);          // overlong
  CHECK(find_invalid_utf8("x\xED\xA0\x80") == 1);     // a surrogate
  CHECK(find_invalid_utf8("\xF4\x90\x80\x80") == 0);  // past U+10FFFF
  CHECK(find_invalid_utf8("\xE2\x82") == 0);          // cut off
  CHECK(replace_invalid_utf8("a\xE2\x82z\xFF") == "a\xEF\xBF\xBDz\xEF\xBF\xBD");
}

TEST_CASE("a text without an end is cut at white space, else between characters") {
  CHECK(part_of("short", 10) == 5);
  CHECK(part_of("some words here", 11) == 11);
  CHECK(part_of("some words here", 10) == 5);
  CHECK(part_of("a\nb c", 3) == 2);
  CHECK(part_of("äöü", 3) == 2);
  CHECK(part_of("\U0001F600\U0001F600", 7) == 4);
  CHECK(part_of(std::string(9, '\x80'), 4) >= 1);  // no UTF-8 at all
}

TEST_CASE("lines: ends, the byte-order mark, and invalid ones by number") {
  const Scratch scratch;
  write_file(scratch / "t", "\xEF\xBB\xBFone\r\ntwo\n\nlast");
  std::vector<std::string> lines;
  for_each_line(scratch / "t", [&](std::string_view line, int64_t number) {
    lines.emplace_back(line);
    CHECK(number == static_cast<int64_t>(lines.size()));
  });
  CHECK(lines == std::vector<std::string>{"one", "two", "", "last"});
  write_file(scratch / "bad", "fine\nnot \xff fine\n");
  CHECK_MENTIONS(
      error_of([&] { for_each_line(scratch / "bad", [](std::string_view, int64_t) {}); }),
      "bad:2: byte 5 (0xff)");
  std::string last;
  for_each_line(
      scratch / "bad", [&](std::string_view line, int64_t) { last = line; }, true);
  CHECK(last == "not \xEF\xBF\xBD fine");
}

TEST_CASE(
    "parallel_for covers each block once and hands on an exception; parallel_sum adds in order") {
  std::vector<int> seen(1001);
  parallel_for(1001, 10, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
  });
  for (const int count : seen) CHECK(count == 1);
  CHECK_MENTIONS(error_of([&] {
                   parallel_for(100, 1, [](int64_t i, int64_t) { check(i != 57, "block {}", i); });
                 }),
                 "block 57");
  const auto sum = [] {
    return parallel_sum(100000, 777, [](int64_t begin, int64_t end) {
      double s = 0;
      for (int64_t i = begin; i < end; ++i) s += 1.0 / (1.0 + static_cast<double>(i));
      return s;
    });
  };
  const double with_all = sum();
  omp_set_num_threads(1);
  CHECK(with_all == sum());
  omp_set_num_threads(omp_get_num_procs());
}

TEST_CASE("loops one after the other, of any size and on any number of threads: each block once") {
  const int threads = omp_get_max_threads();
  std::array<std::atomic<int>, 200> seen{};
  Random random(1);
  int wrong = 0;
  for (int loop = 0; loop < 20000; ++loop) {
    if (loop % 100 == 0)
      omp_set_num_threads(1 + static_cast<int>(random.below(loop < 200 ? 80 : 5)));
    const auto blocks = static_cast<int64_t>(random.below(seen.size() + 1));
    const auto slow = static_cast<int64_t>(random.below(seen.size()));
    parallel_for(blocks, 1, [&](int64_t i, int64_t) {
      for (int wait = 0; i == slow && wait < 2000; ++wait) seen[0].load();
      seen[static_cast<size_t>(i)].fetch_add(1, std::memory_order_relaxed);
    });
    for (int64_t i = 0; i < static_cast<int64_t>(seen.size()); ++i)
      wrong += seen[static_cast<size_t>(i)].exchange(0) != (i < blocks);
  }
  omp_set_num_threads(threads);
  CHECK(wrong == 0);
}

TEST_CASE("Philox gives the published vectors; a Random is a function of seed and stream") {
  // Random123's known answers for philox4x32-10.
  CHECK(philox({{0, 0, 0, 0}}, 0).word[0] == 0x6627e8d5u);
  CHECK(philox({{0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu}}, 0xffffffffffffffffull)
            .word[3] == 0x6d5451fdu);
  Random a(1, 2), b(1, 2), c(1, 3);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const uint32_t bits = a.bits();
    CHECK(bits == b.bits());
    differs = differs || bits != c.bits();
  }
  CHECK(differs);
  Random random(5);
  double mean = 0, square = 0, ones = 0;
  for (int i = 0; i < 20000; ++i) {
    const double x = random.normal();
    mean += x, square += x * x, ones += random.below(3) == 1;
  }
  CHECK(std::abs(mean / 20000) < 0.03);
  CHECK(std::abs(square / 20000 - 1) < 0.05);
  CHECK(std::abs(ones / 20000 - 1.0 / 3) < 0.02);
}

TEST_CASE("numbers are held to their range, and to be finite, in words") {
  check_range("options.x", 1, {.above = 0, .at_most = 1});
  check_range("options.x", std::optional<double>(), {.above = 0});
  CHECK(error_of([] { check_range("options.x", 0, {.above = 0}); }) ==
        "options.x 0: it must be a number above 0");
  CHECK(error_of([] { check_range("options.x", 1.5, {.at_least = 0, .at_most = 1}); }) ==
        "options.x 1.5: it must be a number of at least 0 and of at most 1");
  CHECK(error_of([] { check_range("options.x", std::nan(""), {}); }) ==
        "options.x nan: it must be a number");
}
