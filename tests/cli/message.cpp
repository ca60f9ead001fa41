#include "gradus/cli/message.h"

#include "tests/support.h"

using gradus::cli::one_line;

TEST_CASE("a message is one printable line of less than 500 characters") {
  CHECK(one_line("plain, wörter, 中文") == "plain, wörter, 中文");
  CHECK(one_line("a\nb\tc\n") == "a; b c");
  CHECK(one_line("\x1b[31m\x07") == "\\x1b[31m\\x07");
  CHECK(one_line("bad \xff\xfe bytes") == "bad \\xff\\xfe bytes");
  CHECK(one_line("a\u009b2Jb\u202ec\u2028d") == "a\\xc2\\x9b2Jb\\xe2\\x80\\xaec\\xe2\\x80\\xa8d");
  CHECK(one_line("\u00a0\u2027\u2065") == "\u00a0\u2027\u2065");
  std::string text = "begins ";
  for (int i = 0; i < 1000; ++i) text += "中";
  const std::string line = one_line(text + " ends");
  CHECK(line.size() < 500);
  CHECK(line.starts_with("begins 中"));
  CHECK(line.ends_with("中 ends"));
  CHECK(line.find(" … ") != std::string::npos);
  CHECK(one_line(line) == line);
}
