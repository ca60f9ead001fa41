#include "gradus/nn/losses.h"

#include <algorithm>

#include "gradus/ops/labels.h"

namespace gradus {
namespace {

Tensor vector_of(const std::vector<int32_t>& values) {
  return from_vector(values, {static_cast<int64_t>(values.size())});
}

double count_or(std::optional<double> denominator, int64_t count) {
  return denominator.value_or(static_cast<double>(std::max<int64_t>(count, 1)));
}

// Broadcasting [n, 1] against [n] would compare every prediction with every target, in silence.
void require_same_shape(const char* loss, const char* what, const Tensor& x,
                        const Tensor& targets) {
  if (x.shape() != targets.shape())
    fail("{}: the {} have shape {}, the targets {}; they must be the same, reshape one of them",
         loss, what, x.shape(), targets.shape());
}

}  // namespace

double total_weight(const std::vector<int32_t>& labels, const CrossEntropyOptions& options) {
  double total = 0;
  for (const int32_t label : labels) {
    if (label == options.ignore_index) continue;
    if (options.class_weights.empty()) {
      total += 1;
      continue;
    }
    if (label < 0 || static_cast<size_t>(label) >= options.class_weights.size())
      fail("cross_entropy: the label {} has no class weight; there are {}", label,
           options.class_weights.size());
    total += options.class_weights[static_cast<size_t>(label)];
  }
  return total;
}

Tensor weighted_cross_entropy(const Tensor& logits, const std::vector<int32_t>& labels,
                              const CrossEntropyOptions& options,
                              std::optional<double> denominator) {
  return weighted_cross_entropy(logits, vector_of(labels), options, denominator);
}

Tensor weighted_cross_entropy(const Tensor& all_logits, const Tensor& all_labels,
                              const CrossEntropyOptions& options,
                              std::optional<double> denominator) {
  if (options.plain())
    return cross_entropy(all_logits, all_labels,
                         {.denominator = denominator, .ignore_index = options.ignore_index});
  if (all_logits.rank() != 2)
    fail("cross_entropy: logits have shape {}; they must be [rows, classes]", all_logits.shape());
  const int64_t classes = all_logits.size(1);
  std::vector<int32_t> counted = checked_labels("cross_entropy", all_labels, all_logits.size(0),
                                                classes, options.ignore_index);
  Tensor logits = all_logits;
  if (options.ignore_index) {  // of the rows, those that count
    std::vector<int32_t> rows;
    for (size_t i = 0; i < counted.size(); ++i)
      if (counted[i] >= 0) rows.push_back(static_cast<int32_t>(i));
    logits = take(logits, vector_of(rows));
    std::erase(counted, -1);
  }
  const Tensor labels = vector_of(counted);
  const auto rows = static_cast<int64_t>(counted.size());
  if (!options.class_weights.empty() &&
      static_cast<int64_t>(options.class_weights.size()) != classes)
    fail("cross_entropy: {} class weights for {} classes", options.class_weights.size(), classes);
  if (options.focal_gamma != 0 && !(options.focal_gamma >= 1))
    fail(
        "cross_entropy: a focal gamma of {}; it must be 0 or at least 1, or the gradient is "
        "infinite where p = 1",
        options.focal_gamma);
  const double divisor = denominator.value_or(rows ? total_weight(counted, options) : 1);
  const Tensor weights = options.class_weights.empty()
                             ? ones({classes}, logits.dtype())
                             : cast(from_vector(options.class_weights, {classes}), logits.dtype());
  const Tensor log_p = log_softmax(logits),
               own = gather(log_p, -1, reshape(labels, {rows, 1}));  // [rows, 1]
  Tensor loss = own * reshape(take(weights, labels), {rows, 1}) * -(1 - options.label_smoothing);
  if (options.label_smoothing > 0)
    loss = loss - sum(log_p * weights, -1, {.keep_axes = true}) *
                      (options.label_smoothing / static_cast<double>(classes));
  if (options.focal_gamma != 0)
    loss = loss * pow(relu(1 - exp(own)), options.focal_gamma);  // relu: rounding may put p above 1
  return sum(loss) / divisor;
}

Tensor mean_squared_error(const Tensor& predictions, const Tensor& targets,
                          std::optional<double> denominator) {
  require_same_shape("mean_squared_error", "predictions", predictions, targets);
  return sum(square(predictions - targets)) / count_or(denominator, predictions.numel());
}

Tensor binary_cross_entropy(const Tensor& logits, const Tensor& targets,
                            std::optional<double> denominator) {
  require_same_shape("binary_cross_entropy", "logits", logits, targets);
  return sum(softplus(logits) - logits * targets) / count_or(denominator, logits.numel());
}

Tensor span_loss(const Tensor& logits, const Ragged& sequences, const std::vector<int32_t>& starts,
                 const std::vector<int32_t>& ends, std::optional<double> denominator) {
  const int64_t tokens = sequences.tokens(), count = sequences.sequences(),
                longest = sequences.longest();
  if (logits.shape() != Shape{tokens, 2})
    fail("span_loss: logits have shape {}; they must be [{}, 2]", logits.shape(), tokens);
  // The sequences become the rows of a matrix, starts above ends. Where a sequence is shorter than
  // the longest, its row is filled with a logit whose probability is exactly zero.
  std::vector<int32_t> index, labels;
  for (const auto* positions : {&starts, &ends}) {
    if (static_cast<int64_t>(positions->size()) != count)
      fail("span_loss: {} positions for {} sequences", positions->size(), count);
    const int64_t column = positions == &starts ? 0 : tokens;
    for (int64_t s = 0; s < count; ++s) {
      const int32_t position = (*positions)[static_cast<size_t>(s)];
      if (position < 0 || position >= sequences.length(s))
        fail("span_loss: the position {} of sequence {} is outside its {} tokens", position, s,
             sequences.length(s));
      labels.push_back(position);
      for (int64_t t = 0; t < longest; ++t)
        index.push_back(static_cast<int32_t>(
            t < sequences.length(s) ? column + sequences.begin(s) + t : 2 * tokens));
    }
  }
  const Tensor all =
      concat({reshape(transpose(logits), {2 * tokens}), full({1}, -1e30, logits.dtype())}, 0);
  return cross_entropy(take(all, from_vector(index, {2 * count, longest})), vector_of(labels),
                       2 * count_or(denominator, count));
}

double accuracy(const Tensor& logits, const Tensor& labels) {
  if (logits.rank() != 2 || labels.shape() != Shape{logits.shape()[0]} || labels.numel() == 0)
    fail("accuracy: logits {} and labels {}; they must be [rows, classes] and [rows], rows > 0",
         logits.shape(), labels.shape());
  const NoGrad scope;
  return sum(equal(argmax(logits, 1), cast(labels, DType::i64))).item() /
         static_cast<double>(labels.numel());
}

}  // namespace gradus
