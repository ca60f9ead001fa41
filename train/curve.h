// The curve of a run, from the lines of its log (run_log.h): a page with charts of its losses and
// of what it was judged by, and of its loss as text.
#pragma once

#include <filesystem>
#include <string>

#include "gradus/base/json.h"

namespace gradus {

// A whole HTML page. What an evaluation gave as examples (Judgement::examples) stands below the
// charts, one evaluation beside the other.
std::string curve_page(const nlohmann::ordered_json& history, const std::string& title);

// About a dozen lines for a terminal; "" where there is too little to draw.
std::string curve_text(const nlohmann::ordered_json& history);
std::string curve_text(const std::filesystem::path& metrics);  // a run's metrics.jsonl

}  // namespace gradus
