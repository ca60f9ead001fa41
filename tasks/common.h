// What the folders of the kinds share: the inside of tasks/, of which task.h is the outside.
#pragma once

#include "gradus/tasks/task.h"

namespace gradus {

// Softmax of one row of logits, in double.
std::vector<double> probabilities(std::span<const float> logits);

// A text for a table: on one line, cut to `width` characters.
std::string excerpt(const std::string& text, size_t width = 90);

// "a, b or c".
std::string listed(const std::vector<std::string>& words, const char* last);

// The metric of this name becomes the first, by which models are chosen.
void put_first(Metrics& metrics, const std::string& name);

// "balanced" or "a=2,b=1" as a weight a class; empty for none. Classes that are not named keep 1;
// an unknown name is an Error.
std::vector<double> parse_class_weights(const std::string& text,
                                        const std::vector<std::string>& names,
                                        const std::vector<int64_t>& counts);

// For kinds that have no such thing: an Error where it is asked for.
void refuse_glue(const TaskOptions& options);
void refuse_smoothing(const TaskOptions& options);  // of labels, and the focal loss
void refuse_class_weights(const TaskOptions& options);
void refuse_class_losses(const TaskOptions& options);  // all of these

}  // namespace gradus
