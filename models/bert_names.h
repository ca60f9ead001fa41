// What Hugging Face's files call the parts of nn/'s encoder. The layers have plain names of their
// own ("attention.query", "feed_forward.up"); a BERT lists them by these, so that parameters(bert),
// saved files, patterns of names and initial values, which follow from names, all speak as
// `transformers` does.
#pragma once

#include <string>
#include <string_view>

namespace gradus {

// "layer.0.feed_forward.up.weight" -> "layer.0.intermediate.dense.weight". For Parts: p("encoder",
// encoder, hugging_face_name). A name without a row in the table stays as it is.
std::string hugging_face_name(std::string_view name);

}  // namespace gradus
