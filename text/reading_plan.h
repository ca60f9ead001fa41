// What a long reading of text is, so that an interrupted one is gone on with only as what it was:
// its plan, a JSON object of options, with the files as they were found.
#pragma once

#include <filesystem>

#include "gradus/base/json.h"

namespace gradus {

// Standard input and pipes are not.
bool is_readable_again(const std::filesystem::path& file);

// [path, size, time of the last change]
nlohmann::ordered_json identity_of(const std::filesystem::path& file);

// An Error that names `where` and the option, where `begun` (which may lack what it should have: a
// nlohmann exception) was another plan.
void check_same_plan(const nlohmann::ordered_json& begun, const nlohmann::ordered_json& plan,
                     const std::filesystem::path& where);

}  // namespace gradus
