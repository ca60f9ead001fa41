// Sums of products named by letters (Einstein's convention): einsum("bij,bjk->bik", {a, b}).
//   y[output letters] = sum over the other letters of x_0[letters] x_1[letters] …
// An expression: repeated letters are a diagonal (reshape and a slice with a step), letters of one
// operand alone are summed, and operands are joined from the left, two at a time, by one matmul
// over the letters that both have and nobody needs later (or by mul where there is none). So
// derivatives of all orders follow.
#include <cctype>
#include <map>
#include <set>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

// A letter; or an axis of '...', numbered from the right: past_letters + 0 is the last.
using Label = int;
constexpr Label past_letters = 256;
using Labels = std::vector<Label>;

bool contains(const Labels& labels, Label label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

struct Operand {
  Tensor x;
  Labels labels;  // one for each axis
};

class Formula {
 public:
  explicit Formula(std::string_view formula) {
    for (const char c : formula)
      if (c != ' ') text_ += c;
    const size_t arrow = text_.find("->");
    const std::string left = text_.substr(0, arrow);
    for (size_t begin = 0; begin <= left.size();) {
      const size_t end = std::min(left.find(',', begin), left.size());
      terms_.push_back(left.substr(begin, end - begin));
      begin = end + 1;
    }
    has_output_ = arrow != std::string::npos;
    if (has_output_) output_ = text_.substr(arrow + 2);
    for (const std::string& term : terms_) check_term(term);
    check_term(output_);
  }

  std::vector<Operand> operands(const Tensors& xs) {
    if (xs.size() != terms_.size())
      fail("einsum: '{}' has {} terms, but {} tensors were given", text_, terms_.size(), xs.size());
    std::vector<Operand> all;
    for (size_t i = 0; i < xs.size(); ++i) {
      check_same_dtype("einsum", xs[0], xs[i]);
      all.push_back({xs[i], labels_of(terms_[i], letters_in(terms_[i]), xs[i])});
    }
    for (const Operand& operand : all) note_sizes(operand);
    return all;
  }

  // Explicit, or by convention: '...' and then, in alphabetical order, the letters met once.
  Labels output() const {
    Labels labels;
    for (int axis = ellipsis_rank_ - 1; axis >= 0; --axis) labels.push_back(past_letters + axis);
    std::map<char, int> count;
    for (const std::string& term : terms_)
      for (const char c : term)
        if (c != '.') ++count[c];
    if (!has_output_) {
      for (const auto& [letter, times] : count)
        if (times == 1) labels.push_back(letter);
      return labels;
    }
    const size_t dots = output_.find("...");
    if (dots == std::string::npos && ellipsis_rank_ > 0)
      fail(
          "einsum: '{}' has '...' in a term but not in its output; name the axes that are to be "
          "summed",
          text_);
    const Labels of_dots = labels;
    labels.clear();
    for (size_t i = 0; i < output_.size(); ++i) {
      if (i == dots) {
        labels.insert(labels.end(), of_dots.begin(), of_dots.end());
        i += 2;
        continue;
      }
      const char letter = output_[i];
      if (!count.contains(letter))
        fail("einsum: the output letter '{}' of '{}' is in no term", letter, text_);
      if (contains(labels, letter))
        fail("einsum: the output letter '{}' of '{}' is there twice", letter, text_);
      labels.push_back(letter);
    }
    return labels;
  }

  int64_t size(Label label) const { return sizes_.at(label); }

 private:
  void check_term(const std::string& term) const {
    const size_t dots = term.find("...");
    for (size_t i = 0; i < term.size(); ++i) {
      const bool in_dots = dots != std::string::npos && i >= dots && i < dots + 3;
      if (!in_dots && !std::isalpha(static_cast<unsigned char>(term[i])))
        fail("einsum: '{}' in '{}' is neither a letter nor part of '...', ',' or '->'", term[i],
             text_);
    }
  }
  static int letters_in(const std::string& term) {
    return static_cast<int>(term.size()) - (term.find("...") == std::string::npos ? 0 : 3);
  }
  Labels labels_of(const std::string& term, int letters, const Tensor& x) {
    const size_t dots = term.find("...");
    const int rest = x.rank() - letters;
    if (dots == std::string::npos ? rest != 0 : rest < 0)
      fail("einsum: the term '{}' of '{}' names {} axes, its tensor has shape {}", term, text_,
           letters, x.shape());
    Labels labels;
    for (size_t i = 0; i < term.size(); ++i) {
      if (i == dots) {
        for (int axis = rest - 1; axis >= 0; --axis) labels.push_back(past_letters + axis);
        i += 2;
      } else {
        labels.push_back(term[i]);
      }
    }
    if (dots != std::string::npos) ellipsis_rank_ = std::max(ellipsis_rank_, rest);
    return labels;
  }
  void note_sizes(const Operand& operand) {
    for (size_t axis = 0; axis < operand.labels.size(); ++axis) {
      const Label label = operand.labels[axis];
      const int64_t size = operand.x.shape()[static_cast<int>(axis)];
      const auto [known, is_new] = sizes_.emplace(label, size);
      if (is_new || known->second == size) continue;
      if (label < past_letters)
        fail("einsum: '{}' of '{}' has size {} in one place and {} in another (shape {})",
             static_cast<char>(label), text_, known->second, size, operand.x.shape());
      if (known->second == 1) known->second = size;  // '...' broadcasts
      else if (size != 1)
        fail("einsum: '...' of '{}' has sizes {} and {}, which do not broadcast (shape {})", text_,
             known->second, size, operand.x.shape());
    }
  }

  std::string text_, output_;
  std::vector<std::string> terms_;
  bool has_output_ = false;
  int ellipsis_rank_ = 0;
  std::map<Label, int64_t> sizes_;
};

// The axes of x in the order of `labels`, which are its own.
Tensor arranged(const Operand& operand, const Labels& labels) {
  if (labels == operand.labels) return operand.x;
  std::vector<int> axes;
  for (const Label label : labels)
    axes.push_back(static_cast<int>(std::find(operand.labels.begin(), operand.labels.end(), label) -
                                    operand.labels.begin()));
  return permute(operand.x, axes);
}

// Two axes of one letter become their diagonal, the last axis.
Operand diagonal(Operand operand) {
  const auto first_repeated = [&] {
    for (size_t i = 0; i < operand.labels.size(); ++i)
      for (size_t j = i + 1; j < operand.labels.size(); ++j)
        if (operand.labels[i] == operand.labels[j]) return std::pair(i, j);
    return std::pair(size_t{0}, size_t{0});
  };
  for (auto [i, j] = first_repeated(); j > 0; std::tie(i, j) = first_repeated()) {
    std::vector<int> axes;
    Labels labels;
    for (size_t axis = 0; axis < operand.labels.size(); ++axis)
      if (axis != i && axis != j) {
        axes.push_back(static_cast<int>(axis));
        labels.push_back(operand.labels[axis]);
      }
    axes.push_back(static_cast<int>(i));
    axes.push_back(static_cast<int>(j));
    labels.push_back(operand.labels[i]);
    const Tensor last = permute(operand.x, axes);
    Shape shape = last.shape();
    const int64_t n = shape[-1];
    shape.erase(shape.rank() - 1);
    shape[-1] = n * n;
    operand = {slice(reshape(last, shape), -1, 0, n * n, n + 1), labels};
  }
  return operand;
}

// Axes of '...' of size 1 take the common size.
Operand broadcast(Operand operand, const Formula& formula) {
  Shape shape = operand.x.shape();
  for (size_t axis = 0; axis < operand.labels.size(); ++axis)
    shape[static_cast<int>(axis)] = formula.size(operand.labels[axis]);
  if (shape != operand.x.shape()) operand.x = expand(operand.x, shape);
  return operand;
}

// Sums over the letters that are not kept.
Operand sum_away(const Operand& operand, const std::set<Label>& kept) {
  std::vector<int> axes;
  Labels labels;
  for (size_t axis = 0; axis < operand.labels.size(); ++axis) {
    if (kept.contains(operand.labels[axis])) labels.push_back(operand.labels[axis]);
    else axes.push_back(static_cast<int>(axis));
  }
  return axes.empty() ? operand : Operand{sum(operand.x, axes), labels};
}

class Join {
 public:
  Join(const Formula& formula, const Operand& a, const Operand& b, const std::set<Label>& later)
      : formula_(formula) {
    for (const Label label : a.labels) {
      if (!contains(b.labels, label)) rows_.push_back(label);
      else (later.contains(label) ? batch_ : summed_).push_back(label);
    }
    for (const Label label : b.labels)
      if (!contains(a.labels, label)) columns_.push_back(label);
    result_.labels = joined({&batch_, &rows_, &columns_});
    Shape shape;
    for (const Label label : result_.labels) shape.push_back(formula.size(label));
    if (summed_.empty()) {
      result_.x = reshape(arranged(a, joined({&batch_, &rows_})), with_ones(rows_, {})) *
                  reshape(arranged(b, joined({&batch_, &columns_})), with_ones({}, columns_));
    } else {
      result_.x = reshape(matmul(matrix(a, rows_, summed_), matrix(b, summed_, columns_)), shape);
    }
  }
  const Operand& result() const { return result_; }

 private:
  static Labels joined(std::initializer_list<const Labels*> parts) {
    Labels all;
    for (const Labels* part : parts) all.insert(all.end(), part->begin(), part->end());
    return all;
  }
  int64_t product(const Labels& labels) const {
    int64_t n = 1;
    for (const Label label : labels) n *= formula_.size(label);
    return n;
  }
  // [batch, rows, columns] with ones for the rows or columns that are not given.
  Shape with_ones(const Labels& rows, const Labels& columns) const {
    Shape shape;
    for (const Label label : batch_) shape.push_back(formula_.size(label));
    for (const Label label : rows_)
      shape.push_back(contains(rows, label) ? formula_.size(label) : 1);
    for (const Label label : columns_)
      shape.push_back(contains(columns, label) ? formula_.size(label) : 1);
    return shape;
  }
  // [batch, down, along], or without the batch where there is none. Where it lies the other way
  // round already, its transpose, which matmul reads as it lies.
  Tensor matrix(const Operand& operand, const Labels& down, const Labels& along) const {
    const bool turned = operand.labels == joined({&batch_, &along, &down});
    Shape shape;
    if (!batch_.empty()) shape.push_back(product(batch_));
    shape.push_back(product(turned ? along : down));
    shape.push_back(product(turned ? down : along));
    if (turned) return transpose(reshape(operand.x, shape));
    return reshape(arranged(operand, joined({&batch_, &down, &along})), shape);
  }

  const Formula& formula_;
  Labels batch_, rows_, columns_, summed_;
  Operand result_;
};

}  // namespace

Tensor einsum(std::string_view text, const Tensors& xs) {
  check(!xs.empty(), "einsum: there are no tensors for '{}'", text);
  Formula formula(text);
  std::vector<Operand> operands = formula.operands(xs);
  const Labels output = formula.output();
  for (Operand& operand : operands) operand = broadcast(diagonal(std::move(operand)), formula);
  Operand y = operands[0];
  for (size_t i = 1; i < operands.size(); ++i) {
    std::set<Label> later(output.begin(), output.end());
    for (size_t j = i + 1; j < operands.size(); ++j)
      later.insert(operands[j].labels.begin(), operands[j].labels.end());
    const auto kept_beside = [&](const Operand& other) {
      std::set<Label> kept = later;
      kept.insert(other.labels.begin(), other.labels.end());
      return kept;
    };
    const Operand a = sum_away(y, kept_beside(operands[i])),
                  b = sum_away(operands[i], kept_beside(y));
    y = Join(formula, a, b, later).result();
  }
  return arranged(sum_away(y, {output.begin(), output.end()}), output);
}

OpInfos einsum_ops() {
  using sample::normal;
  const auto of = [](const char* formula, std::initializer_list<SampleInput> inputs) {
    return Sample{formula, inputs, [=](Inputs in) { return Tensors{einsum(formula, in)}; }};
  };
  const auto wrong = [](const char* note, const char* formula, const std::vector<Shape>& shapes,
                        std::vector<std::string> mentions) {
    mentions.push_back("einsum");
    return ErrorSample{note,
                       [=] {
                         Tensors xs;
                         for (const Shape& shape : shapes) xs.push_back(ones(shape));
                         einsum(formula, xs);
                       },
                       mentions};
  };
  return {{.name = "einsum",
           .formula = "sums of products named by letters",
           .samples = {of("ij,jk->ik", {normal({2, 3}), normal({3, 4})}),
                       of("ij,kj", {normal({2, 3}), normal({4, 3})}),
                       of("ij,jk->ki", {normal({2, 3}), normal({3, 4})}),
                       of("bhqd,bhkd->bhqk", {normal({2, 1, 3, 2}), normal({2, 1, 4, 2})}),
                       of("bqhd,bkhd->bhqk", {normal({2, 3, 2, 2}), normal({2, 4, 2, 2})}),
                       of("...ij,jk->...ik", {normal({2, 2, 3}), normal({3, 2})}),
                       of("...i,...i->...", {normal({2, 1, 3}), normal({4, 3})}),
                       of("i,j->ij", {normal({3}), normal({4})}),
                       of("ij,ij->ij", {normal({3, 4}), normal({3, 4})}),
                       of("i,i->", {normal({5}), normal({5})}),
                       of("bi,ij,bj->b", {normal({3, 2}), normal({2, 4}), normal({3, 4})}),
                       of("ij,jk,kl->il", {normal({2, 3}), normal({3, 2}), normal({2, 3})}),
                       of("ij,kl->jl", {normal({2, 3}), normal({4, 2})}),
                       of("ijk->kj", {normal({2, 3, 4})}),
                       of("ii", {normal({4, 4})}),
                       of("iji->ij", {normal({3, 2, 3})}),
                       of("iij,j->i", {normal({3, 3, 2}), normal({2})}),
                       {"a tensor with itself",
                        {normal({3, 4})},
                        [](Inputs in) { return Tensors{einsum("ij, kj -> ik", {in[0], in[0]})}; }}},
           .errors = {wrong("terms", "ij,jk->ik", {{2, 3}}, {"ij,jk->ik", "2 terms", "1 tensor"}),
                      wrong("axes", "ij->i", {{2, 3, 4}}, {"'ij'", "2 axes", "[2, 3, 4]"}),
                      wrong("sizes", "ij,jk->ik", {{2, 3}, {4, 5}}, {"'j'", "3", "4", "[4, 5]"}),
                      wrong("output", "ij->k", {{2, 3}}, {"'k'", "no term"}),
                      wrong("output twice", "ij->ii", {{2, 3}}, {"'i'", "twice"}),
                      wrong("character", "i1->i", {{2, 3}}, {"'1'", "i1->i"}),
                      wrong("dots", "...i->i", {{2, 3}}, {"'...'", "output"}),
                      wrong("broadcast", "...i,...i->...", {{2, 3}, {4, 3}}, {"'...'", "2", "4"}),
                      {"dtypes",
                       [] { einsum("i,i->", {ones({2}), ones({2}, DType::f64)}); },
                       {"einsum", "f32", "f64"}},
                      {"none", [] { einsum("i->", {}); }, {"einsum", "no tensors"}}},
           .composed = true}};
}

}  // namespace gradus
