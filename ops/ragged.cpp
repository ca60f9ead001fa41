#include "gradus/ops/ragged.h"

#include <algorithm>

#include "gradus/base/error.h"

namespace gradus {

Ragged::Ragged(const std::vector<int64_t>& lengths, int64_t first) {
  auto data = std::make_shared<Data>();
  data->first = first;
  data->offsets.push_back(0);
  for (size_t i = 0; i < lengths.size(); ++i) {
    check(lengths[i] > 0,
          "sequence {} of the batch has {} tokens; every sequence needs at least one", i,
          lengths[i]);
    data->offsets.push_back(data->offsets.back() + lengths[i]);
    data->longest = std::max(data->longest, lengths[i]);
    for (int64_t t = 0; t < lengths[i]; ++t) {
      data->row_sequence.push_back(static_cast<uint32_t>(first + static_cast<int64_t>(i)));
      data->row_position.push_back(static_cast<uint32_t>(t));
    }
  }
  data_ = std::move(data);
}

std::vector<int32_t> Ragged::first_rows() const {
  std::vector<int32_t> rows;
  for (int64_t i = 0; i < sequences(); ++i) rows.push_back(static_cast<int32_t>(begin(i)));
  return rows;
}

Ragged Ragged::one_row_each() const {
  return Ragged(std::vector<int64_t>(static_cast<size_t>(sequences()), 1), first());
}

}  // namespace gradus
