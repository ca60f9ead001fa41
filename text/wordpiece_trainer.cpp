#include "gradus/text/wordpiece_trainer.h"

#include <algorithm>
#include <map>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "gradus/base/error.h"
#include "gradus/text/rules.h"

namespace gradus {
namespace {

class Merger {
 public:
  Merger(const std::vector<std::pair<std::string, int64_t>>& words,
         const WordPieceTrainerOptions& options)
      : options_(options) {
    for (const std::string_view token : special_tokens) id_of(std::string(token));
    make_alphabet(words);
    for (const auto& [word, count] : words) add_word(word, count);
    if (static_cast<int64_t>(tokens_.size()) > options.size)
      fail(
          "options.size {} is too small: the special tokens and single characters alone are {}; "
          "ask for more, or lower options.limit_alphabet",
          options.size, tokens_.size());
  }

  std::vector<std::string> run() {
    count_pairs();
    while (static_cast<int64_t>(tokens_.size()) < options_.size && !queue_.empty()) {
      const Candidate top = queue_.top();
      queue_.pop();
      const auto found = pairs_.find(top.pair);
      if (found == pairs_.end() || found->second.count < options_.min_frequency) continue;
      // it changed since it was queued
      if (const double now = score(top.pair, found->second.count); now != top.score) {
        queue_.push({now, top.pair});
        continue;
      }
      merge(top.pair);
      if (options_.progress && tokens_.size() % 256 == 0)
        options_.progress("merging pieces", static_cast<double>(tokens_.size()),
                          static_cast<double>(options_.size));
    }
    return tokens_;
  }

  double whole_words() const {
    int64_t whole = 0, all = 0;
    for (const Entry& word : words_)
      whole += word.pieces.size() == 1 ? word.count : 0, all += word.count;
    return all ? static_cast<double>(whole) / static_cast<double>(all) : 0;
  }

 private:
  using Pair = uint64_t;  // two ids
  struct Entry {
    std::vector<int32_t> pieces;
    int64_t count;
  };
  struct PairInfo {
    int64_t count = 0;
    std::vector<int32_t> words;  // that hold it, or held it
  };
  struct Candidate {
    double score;
    Pair pair;
    bool operator<(const Candidate& other) const {
      return score != other.score ? score < other.score : pair > other.pair;
    }  // ties: smaller ids first
  };
  static Pair pair_of(int32_t a, int32_t b) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(a)) << 32) | static_cast<uint32_t>(b);
  }

  int32_t id_of(const std::string& token) {
    const auto [entry, is_new] = ids_.emplace(token, static_cast<int32_t>(tokens_.size()));
    if (is_new) tokens_.push_back(token);
    return entry->second;
  }

  static std::vector<std::string> characters(const std::string& word) {
    std::vector<std::string> list;
    for (const char *at = word.data(), *end = at + word.size(); at < end;) {
      const char* begin = at;
      read_utf8(at);
      list.emplace_back(begin, at);
    }
    return list;
  }

  // The most frequent characters, as beginnings and as continuations where they occur so, in sorted
  // order.
  void make_alphabet(const std::vector<std::pair<std::string, int64_t>>& words) {
    std::map<std::string, int64_t> counts;
    std::map<std::string, bool> continuations;
    for (const auto& [word, count] : words) {
      const auto list = characters(word);
      for (size_t i = 0; i < list.size(); ++i) {
        counts[list[i]] += count;
        if (i) continuations["##" + list[i]] = true;
      }
    }
    std::vector<std::pair<int64_t, std::string>> order;
    for (const auto& [c, count] : counts) order.emplace_back(-count, c);
    std::sort(order.begin(), order.end());
    if (static_cast<int64_t>(order.size()) > options_.limit_alphabet)
      order.resize(static_cast<size_t>(options_.limit_alphabet));
    for (const auto& [count, c] : order) kept_.insert(c);
    for (const auto& [c, count] : counts)
      if (kept_.contains(c)) id_of(c);
    for (const auto& [c, there] : continuations)
      if (kept_.contains(c.substr(2))) id_of(c);
  }

  void add_word(const std::string& word, int64_t count) {
    Entry entry{{}, count};
    for (const std::string& c : characters(word)) {
      if (!kept_.contains(c)) continue;
      const bool continues = !entry.pieces.empty() && ids_.contains("##" + c);
      entry.pieces.push_back(ids_.at(continues ? "##" + c : c));
    }
    if (!entry.pieces.empty()) words_.push_back(std::move(entry));
  }

  void count_pairs() {
    for (size_t w = 0; w < words_.size(); ++w) {
      const auto& pieces = words_[w].pieces;
      for (size_t i = 0; i < pieces.size(); ++i) {
        pieces_[pieces[i]] += words_[w].count;
        if (i + 1 < pieces.size())
          add_pair(pair_of(pieces[i], pieces[i + 1]), words_[w].count, static_cast<int32_t>(w));
      }
    }
    for (const auto& [pair, info] : pairs_) queue_.push({score(pair, info.count), pair});
  }

  void add_pair(Pair pair, int64_t count, int32_t word) {
    PairInfo& info = pairs_[pair];
    info.count += count;
    if (info.words.empty() || info.words.back() != word) info.words.push_back(word);
  }

  double score(Pair pair, int64_t count) const {
    const auto n = static_cast<double>(count);
    if (options_.criterion == MergeCriterion::count) return n;
    return n / (static_cast<double>(pieces_.at(static_cast<int32_t>(pair >> 32))) *
                static_cast<double>(pieces_.at(static_cast<int32_t>(pair & 0xffffffffu))));
  }

  void merge(Pair pair) {
    const auto a = static_cast<int32_t>(pair >> 32), b = static_cast<int32_t>(pair & 0xffffffffu);
    const std::string& tail = tokens_[static_cast<size_t>(b)];
    const int32_t merged =
        id_of(tokens_[static_cast<size_t>(a)] + (tail.starts_with("##") ? tail.substr(2) : tail));
    std::vector<int32_t> holders = std::move(pairs_[pair].words);
    pairs_.erase(pair);
    std::sort(holders.begin(), holders.end());
    holders.erase(std::unique(holders.begin(), holders.end()), holders.end());
    std::unordered_set<Pair> touched;
    for (const int32_t w : holders) {
      Entry& word = words_[static_cast<size_t>(w)];
      for (size_t i = 0; i + 1 < word.pieces.size(); ++i) {
        if (word.pieces[i] != a || word.pieces[i + 1] != b) continue;
        const auto change = [&](Pair which, int64_t by) {
          if (which == pair) return;
          add_pair(which, by, w);
          touched.insert(which);
        };
        if (i > 0)
          change(pair_of(word.pieces[i - 1], a), -word.count),
              change(pair_of(word.pieces[i - 1], merged), word.count);
        if (i + 2 < word.pieces.size())
          change(pair_of(b, word.pieces[i + 2]), -word.count),
              change(pair_of(merged, word.pieces[i + 2]), word.count);
        word.pieces[i] = merged;
        word.pieces.erase(word.pieces.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        pieces_[a] -= word.count, pieces_[b] -= word.count, pieces_[merged] += word.count;
      }
    }
    for (const Pair which : touched)
      if (const auto found = pairs_.find(which); found != pairs_.end() && found->second.count > 0)
        queue_.push({score(which, found->second.count), which});
  }

  const WordPieceTrainerOptions& options_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  std::unordered_set<std::string> kept_;
  std::vector<Entry> words_;
  std::unordered_map<int32_t, int64_t> pieces_;
  std::unordered_map<Pair, PairInfo> pairs_;
  std::priority_queue<Candidate> queue_;
};

}  // namespace

std::vector<std::string> train_wordpiece(const std::vector<std::filesystem::path>& files,
                                         const WordPieceTrainerOptions& options,
                                         WordPieceStatistics* statistics) {
  const WordCounts words = count_words(files, options, statistics);
  Merger merger(words, options);
  std::vector<std::string> tokens = merger.run();
  if (statistics) statistics->whole_words = merger.whole_words();
  return tokens;
}

}  // namespace gradus
