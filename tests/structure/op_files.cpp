// The table of ops is complete: every file of ops/ is in it, and every row has samples whose graphs
// hold the node it names.
#include <filesystem>
#include <set>

#include "tests/ops/samples.h"

namespace gradus::testing {

TEST_CASE("structure: every file of ops/ is in the table, and every row's file exists") {
  const std::filesystem::path folder = std::filesystem::path(GRADUS_SOURCE_ROOT) / "ops";
  std::set<std::string> files, rows;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".cpp") files.insert(entry.path().stem().string());
  // the table itself, a value that ops take, and how loops walk
  for (const char* no_op : {"table", "ragged", "elementwise"}) files.erase(no_op);
  for (const OpInfo& info : op_table()) rows.insert(info.file);
  for (const std::string& file : files)
    CHECK_MESSAGE(rows.contains(file), "ops/", file, ".cpp defines no row of op_table()");
  for (const std::string& row : rows)
    CHECK_MESSAGE(files.contains(row), "a row of op_table() names ops/", row,
                  ".cpp, which is not there");
}

TEST_CASE("structure: every row has a formula, and samples that make its node where it has one") {
  std::set<std::string> names;
  for (const OpInfo& info : op_table()) {
    CAPTURE(info.name);
    CHECK_MESSAGE(names.insert(info.name).second, "two rows of that name");
    CHECK(!info.formula.empty());
    const auto& samples = info.samples;
    CHECK(!samples.empty());
    if (info.composed || !info.differentiable) continue;
    for (const Sample& sample : samples)
      CHECK_MESSAGE(contains_op(sample.call(leaves_of(sample.inputs)), info.name), "the sample '",
                    sample.note, "' does not run the op");
  }
}

}  // namespace gradus::testing
