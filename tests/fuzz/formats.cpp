#include <algorithm>

#include "gradus/base/error.h"
#include "tests/fuzz/fuzz.h"

namespace gradus::testing {

const Formats& formats() {
  static const Formats all = [] {
    Formats list;
    for (const Formats& some :
         {tensor_formats(), text_formats(), table_formats(), folder_formats()})
      list.insert(list.end(), some.begin(), some.end());
    return list;
  }();
  return all;
}

const Format& format(const std::string& name) {
  std::string known;
  for (const Format& f : formats()) {
    if (f.name == name) return f;
    known += (known.empty() ? "" : ", ") + f.name;
  }
  fail("no format is called '{}'; there are {}", name, known);
}

bool reads(const Format& format, std::string_view input) {
  try {
    format.read(input);
    return true;
  } catch (const Error& error) {
    if (error.exit_code != 2)
      throw Finding(
          fmt::format("the input is refused with exit code {}: {}", error.exit_code, error.what()));
    if (std::string_view(error.what()).size() < 10)
      throw Finding(fmt::format("the refusal says nothing: '{}'", error.what()));
    return false;
  }
}

Named named(std::string_view input) {
  const size_t end = std::min(input.find('\n'), input.size());
  return {std::string(input.substr(0, end)), input.substr(std::min(end + 1, input.size()))};
}

}  // namespace gradus::testing
