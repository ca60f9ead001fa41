// What the kinds of tasks share, and how each is made: the inside of tasks/, of which task.h is the
// outside.
#pragma once

#include "gradus/tasks/task.h"

namespace gradus {

// classify, regress, multilabel
std::unique_ptr<Task> make_text_task(const TaskOptions& options, const Tokenizer& tokenizer);
// ner
std::unique_ptr<Task> make_tagging_task(const TaskOptions& options, const Tokenizer& tokenizer);
// qa
std::unique_ptr<Task> make_question_task(const TaskOptions& options, const Tokenizer& tokenizer);
// choice
std::unique_ptr<Task> make_choice_task(const TaskOptions& options, const Tokenizer& tokenizer);

// Softmax of one row of logits, in double.
std::vector<double> probabilities(std::span<const float> logits);

// A text for a table: on one line, cut to `width` characters.
std::string excerpt(const std::string& text, size_t width = 90);

// The metric of this name becomes the first, by which models are chosen.
void put_first(Metrics& metrics, const std::string& name);

// "balanced" or "a=2,b=1" as a weight a class; empty for none. Classes that are not named keep 1;
// an unknown name is an Error.
std::vector<double> parse_class_weights(const std::string& text,
                                        const std::vector<std::string>& names,
                                        const std::vector<int64_t>& counts);

}  // namespace gradus
