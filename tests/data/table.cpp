#include "gradus/data/table.h"

#include <unistd.h>

#include <sstream>

#include "gradus/base/file.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

using Rows = std::vector<std::vector<std::string>>;

// The rows of a file of this name and content, the columns first.
Rows rows_of(const std::string& name, const std::string& content,
             const TableOptions& options = {}) {
  const Scratch scratch;
  write_file(scratch / name, content);
  TableReader reader(scratch / name, options);
  Rows rows{reader.columns()};
  for (TableReader::Row row; reader.next(row);) rows.push_back(row.cells);
  return rows;
}

std::string refusal(const std::string& name, const std::string& content,
                    const TableOptions& options = {}) {
  return error_of([&] { rows_of(name, content, options); });
}

}  // namespace

TEST_CASE(
    "table: TSV, quotes are characters, byte-order mark, CRLF, blank lines, no line end at the "
    "end") {
  CHECK(rows_of("a.tsv", "\xEF\xBB\xBFtext\tlabel\r\n\"a, b\tx\r\n\r\nc\"\"\ty") ==
        Rows{{"text", "label"}, {"\"a, b", "x"}, {"c\"\"", "y"}});
  CHECK(rows_of("a.tsv", "a\tb\n\t\n") == Rows{{"a", "b"}, {"", ""}});
  // the only column: an empty line is an empty text
  CHECK(rows_of("a.tsv", "text\na\n\nb\n") == Rows{{"text"}, {"a"}, {""}, {"b"}});
  CHECK(rows_of("a.tsv", "a\tb\n") == Rows{{"a", "b"}});
}

TEST_CASE("table: CSV as RFC 4180 has it") {
  CHECK(rows_of("a.csv", "a,b\n\"x, \"\"y\"\"\",2\n") == Rows{{"a", "b"}, {"x, \"y\"", "2"}});
  CHECK(rows_of("a.csv", "a,b\r\n\"one\r\n\r\ntwo\",\"\"\r\n,\r\n") ==
        Rows{{"a", "b"}, {"one\n\ntwo", ""}, {"", ""}});
  CHECK(rows_of("a.csv", "a,b\nit's 5\" tall,\"x\"") == Rows{{"a", "b"}, {"it's 5\" tall", "x"}});
  CHECK(rows_of("a.csv", "\xEF\xBB\xBF\"a\",b\n1,2\n") == Rows{{"a", "b"}, {"1", "2"}});
  CHECK_MENTIONS(refusal("a.csv", "a,b\n1,2\n\"open,3\nmore\n"),
                 "a.csv:3: a quoted cell that begins in this row is never closed");
  CHECK_MENTIONS(refusal("a.csv", "a,b\n\"x\"y,3\n"),
                 "a.csv:2: 'y,3' stands behind the closing quote of cell 1");
}

TEST_CASE("table: the line of a row is where it begins") {
  const Scratch scratch;
  write_file(scratch / "a.csv", "a,b\n\"1\n2\n3\",x\n4,y\n");
  TableReader reader(scratch / "a.csv");
  TableReader::Row row;
  CHECK(reader.next(row));
  CHECK(row.line == 2);
  CHECK(reader.next(row));
  CHECK(row.line == 5);
  CHECK_FALSE(reader.next(row));
}

TEST_CASE("table: JSON lines") {
  CHECK(rows_of("a.jsonl",
                "{\"t\": \"a\\nb\", \"n\": 0.50, \"l\": [\"x\", 1], \"z\": null}\n\n{\"more\": 1, "
                "\"n\": 2, \"t\": \"é\", \"l\": [], "
                "\"z\": true}\n") ==
        Rows{{"t", "n", "l", "z"}, {"a\nb", "0.5", "[\"x\",1]", ""}, {"é", "2", "[]", "true"}});
  CHECK_MENTIONS(refusal("a.jsonl", "{\"t\": 1}\n{\"u\": 1}\n"),
                 "a.jsonl:2: the object has no \"t\"");
  CHECK_MENTIONS(refusal("a.jsonl", "{\"t\": 1}\n{\"t\": \n"), "a.jsonl:2: not valid JSON");
  CHECK_MENTIONS(refusal("a.jsonl", "[1]\n"), "a.jsonl:1: each line must be a JSON object");
  CHECK_MENTIONS(refusal("a.jsonl", "\n"), "holds no rows");
}

TEST_CASE("table: standard input, a row as soon as its line is there") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const int terminal = ::dup(STDIN_FILENO);
  ::dup2(ends[0], STDIN_FILENO);
  const auto write = [&](std::string_view text) {
    CHECK(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  };
  write("\xEF\xBB\xBFtext\na\n");
  {
    TableReader reader("-", {.format = TableFormat::tsv});
    TableReader::Row row;
    CHECK(reader.next(row));
    CHECK(row.cells[0] == "a");
    CHECK(reader.pauses());
    write("\nb");
    CHECK_FALSE(reader.pauses());
    CHECK(reader.next(row));
    CHECK(row.cells[0].empty());
    CHECK(reader.pauses());  // a line that is not whole yet
    write("\n");
    CHECK_FALSE(reader.pauses());
    CHECK(reader.next(row));
    ::close(ends[1]);
    CHECK_FALSE(reader.pauses());
    CHECK_FALSE(reader.next(row));
    CHECK(row.line == 4);
  }
  ::dup2(terminal, STDIN_FILENO);
  ::close(terminal);
  ::close(ends[0]);
}

TEST_CASE("table: files without a header") {
  const TableOptions options{.columns = {"text", "label"}};
  CHECK(rows_of("a.tsv", "a\tx\nb\ty\n", options) ==
        Rows{{"text", "label"}, {"a", "x"}, {"b", "y"}});
  CHECK(rows_of("a.tsv", "text\tlabel\nb\ty\n", options) == Rows{{"text", "label"}, {"b", "y"}});
  CHECK(rows_of("a.tsv", "", options) == Rows{{"text", "label"}});
  CHECK_MENTIONS(refusal("a.tsv", "a\tx\ty\n", options),
                 "a.tsv:1: the row has 3 cells; 2 are expected (text, label)");
  CHECK_MENTIONS(refusal("a.tsv", "good\tgood\nb\tc\n"), "two columns are called 'good'");
  // SWAG's first column has no name
  CHECK(rows_of("a.csv", ",text\n0,a\n") == Rows{{"", "text"}, {"0", "a"}});
  CHECK_MENTIONS(refusal("a.jsonl", "{}", options), "name their columns themselves");
}

TEST_CASE("table: what is wrong is named with file and line") {
  CHECK_MENTIONS(refusal("a.tsv", "a\tb\n1\t2\n3\n"),
                 "a.tsv:3: the row has 1 cells; 2 are expected (a, b)");
  CHECK_MENTIONS(refusal("a.csv", "a,b\n1,2,3\n"), "a.csv:2: the row has 3 cells");
  CHECK_MENTIONS(refusal("a.tsv", "a\tb\n1\t2\n3\t\xC3(\n"),
                 "a.tsv:3: byte 3 (0xc3) is not valid UTF-8");
  CHECK_MENTIONS(refusal("a.csv", "a,b\n\"1\n\xff\",2\n"),
                 "a.csv:3: byte 1 (0xff) is not valid UTF-8");
  CHECK_MENTIONS(refusal("a.tsv", ""), "a.tsv: it is empty");
  CHECK_MENTIONS(refusal("a.dat", "a\n"), ".tsv, .csv and .jsonl");
  CHECK_MENTIONS(error_of([] { TableReader("/nowhere/a.tsv"); }), "cannot read /nowhere/a.tsv");
  CHECK_MENTIONS(error_of([] { TableReader("-"); }), "give its format");
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "folder.tsv");
  CHECK_MENTIONS(error_of([&] { TableReader(scratch / "folder.tsv"); }), "it is a folder");
  write_file(scratch / "a.tsv", "sentence\tlabel\nx\ty\n");
  CHECK_MENTIONS(error_of([&] { TableReader(scratch / "a.tsv").column("text"); }),
                 "there is no column 'text'; the columns are: sentence, label");
}

TEST_CASE("table: rows that a task is known to break are counted and left out") {
  const Scratch scratch;
  write_file(scratch / "a.tsv", "a\tb\n1\n1\t2\n1\t2\t3\n");
  TableReader reader(scratch / "a.tsv", {.skip_ragged = true});
  TableReader::Row row;
  CHECK(reader.next(row));
  CHECK(row.line == 3);
  CHECK(reader.next(row));
  CHECK(row.cells == std::vector<std::string>{"1", "2"});
  CHECK_FALSE(reader.next(row));
  CHECK(reader.skipped() == 1);
}
