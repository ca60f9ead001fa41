// The last part of the demo: the model that was pretrained on the story world learns each of its
// tasks.
#pragma once

#include <filesystem>

#include "gradus/story/teller.h"

namespace gradus::cli {

// Writes the labelled sets into FOLDER/tasks, fine-tunes FOLDER/model for each into
// FOLDER/tasks/NAME, and prints a line a task: its score on stories it never saw beside the best
// reachable one and that of an answer that reads nothing.
void run_demo_tasks(const std::filesystem::path& folder, uint64_t seed, story::World world);

}  // namespace gradus::cli
