#include "gradus/base/error.h"

#include <fmt/format.h>

namespace gradus {

void throw_error(int exit_code, fmt::string_view text, fmt::format_args arguments) {
  throw Error(fmt::vformat(text, arguments), exit_code);
}

}  // namespace gradus
