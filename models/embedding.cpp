#include "gradus/models/embedding.h"

#include <algorithm>
#include <numeric>

namespace gradus {

Tensor pool(const Tensor& hidden, const Ragged& sequences, Pooling pooling) {
  if (pooling == Pooling::cls) return take(hidden, from_vector(sequences.first_rows()));
  return segment_mean(hidden, sequences);
}

void for_each_batch(const BertConfig& config, const std::vector<Sequence>& sequences,
                    int64_t batch_tokens,
                    const std::function<void(const BertInput&, const std::vector<size_t>&)>& f) {
  const auto length = [&](size_t row) { return static_cast<int64_t>(sequences[row].ids.size()); };
  std::vector<size_t> order(sequences.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return length(a) > length(b); });
  for (size_t next = 0; next < order.size();) {
    std::vector<size_t> rows;
    TokenBatch batch;
    for (; next < order.size() &&
           (rows.empty() || batch.size() + length(order[next]) <= batch_tokens);
         ++next) {
      const Sequence& sequence = sequences[order[next]];
      rows.push_back(order[next]);
      batch.add(sequence.ids, sequence.types);
    }
    f(BertInput(config, batch), rows);
  }
}

Tensor embed(const BertModel& model, const std::vector<Sequence>& sequences,
             const EmbeddingOptions& options) {
  const NoGrad scope;
  const auto hidden_size = static_cast<size_t>(model.config.hidden_size);
  Tensor all = zeros({static_cast<int64_t>(sequences.size()), model.config.hidden_size});
  float* out = all.write<float>();
  for_each_batch(model.config, sequences, options.batch_tokens,
                 [&](const BertInput& batch, const std::vector<size_t>& rows) {
                   Tensor vectors = pool(model(batch), batch.sequences, options.pooling);
                   if (options.normalize) vectors = normalize_rows(vectors);
                   const std::vector<float> values = vectors.to_vector<float>();
                   for (size_t i = 0; i < rows.size(); ++i)
                     std::copy_n(values.data() + i * hidden_size, hidden_size,
                                 out + rows[i] * hidden_size);
                 });
  return all;
}

}  // namespace gradus
