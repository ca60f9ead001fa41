// Sentences and their translations into a made-up tongue, learned from pairs alone by InfoNCE (van
// den Oord et al. 2018). The order of words says who fears whom, another one in each tongue.
#include <gradus/gradus.h>
using namespace gradus;

const std::array words{"cat",   "dog",   "fox",   "owl",  "hen",  "cow", "sees",
                       "hears", "fears", "likes", "ka",   "dom",  "fil", "ovu",
                       "hinu",  "bura",  "anat",  "orok", "usur", "ilim"};

struct Reader {  // a vector of length 1 for each sentence
  Embedding table{20, 16};
  MultiHeadAttention attention{{.hidden = 16, .heads = 2, .rotary_base = 100}};
  Linear wide{16, 32}, out{32, 8};
  Tensor operator()(const Tensor& ids) const {  // [sentences, 3]
    const auto sentences = Ragged::equal(ids.size(0), 3);
    const Tensor x = table(reshape(ids, {-1})), h = gelu(wide(x + attention(x, sentences)));
    return normalize_rows(out(segment_mean(h, sentences)));
  }
  void parts(Parts& p) { p("table", table), p("at", attention), p("wide", wide), p("out", out); }
};
struct Pairs {  // of 144 sentences, every fifth one, or the others
  std::vector<int32_t> ids;
  Tensor left, right;
  explicit Pairs(bool fifth) {
    for (int i = 0; i < 144; ++i) {
      const int who = i % 6, does = 6 + i / 6 % 4, whom = i / 24;
      if ((i % 5 == 3) == fifth)
        ids.insert(ids.end(), {who, does, whom, 10 + does, 10 + whom, 10 + who});
    }
    const Tensors halves = chunk(from_vector(ids, {std::ssize(ids) / 6, 6}), 2, 1);
    left = halves[0], right = halves[1];
  }
  Tensor similarities(const Reader& reader) const {
    return matmul(reader(left), transpose(reader(right)));
  }
  Tensor found(const Reader& reader) const { return argmax(similarities(reader), 1); }
};
int main() {
  Reader reader;
  initialize(reader, Normal{0.3}, /*seed=*/1);
  AdamW optimizer(reader, {.learning_rate = 5e-3});
  const Pairs train(false), test(true);
  const Tensor own = arange(test.left.size(0));
  const double before = sum(equal(test.found(reader), own)).item();
  for (int step = 0; step < 200; ++step) {
    backward(cross_entropy(train.similarities(reader) / 0.1, arange(train.left.size(0))));
    optimizer.step(/*max_norm=*/1.0);
  }
  const double after = sum(equal(test.found(reader), own)).item();
  fmt::print("{} of {} new sentences find their own translation, {} before training\n", after,
             own.numel(), before);
  const int32_t *a = &test.ids[42],
                *b = &test.ids[6 * test.found(reader).to_vector<int64_t>()[7] + 3];
  fmt::print("{} {} {} = {} {} {}\n", words[a[0]], words[a[1]], words[a[2]], words[b[0]],
             words[b[1]], words[b[2]]);
  const auto check = gradcheck(reader, {slice(test.left, 0, 0, 2)}, {.order = 2});
  fmt::print("{}\n", check.summary());
  return check && after > 26 ? 0 : 1;
}
