#include "gradus/story/best_guess.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "gradus/base/parallel.h"
#include "gradus/base/random.h"

namespace gradus::story {
namespace {

constexpr double certain = 1 - 1e-9;

// The rows that agree with every visible word of the variable and are not known to be another
// variable's.
std::vector<int> possible_rows(const Story& story, int variable, const Visible& visible) {
  const Variable& own = story.variables[static_cast<size_t>(variable)];
  std::vector<bool> possible(own.table->rows.size(), true), shown(story.variables.size());
  for (size_t s = 0; s < story.sentences.size(); ++s) {
    const auto& words = story.sentences[s].words;
    for (size_t w = 0; w < words.size(); ++w) {
      if (words[w].variable < 0 || !visible(s, w)) continue;
      // Only a name or noun (the first column) tells that a row is taken.
      if (words[w].column == 0 && !words[w].article)
        shown[static_cast<size_t>(words[w].variable)] = true;
      if (words[w].variable != variable) continue;
      for (size_t r = 0; r < possible.size(); ++r)
        possible[r] =
            possible[r] && realised(story, words[w], static_cast<int>(r)) == words[w].text;
    }
  }
  for (size_t v = 0; v < story.variables.size(); ++v) {
    const Variable& other = story.variables[v];
    if (shown[v] && static_cast<int>(v) != variable && other.table == own.table)
      possible[static_cast<size_t>(other.row)] = false;
  }
  std::vector<int> rows;
  for (size_t r = 0; r < possible.size(); ++r)
    if (possible[r]) rows.push_back(static_cast<int>(r));
  return rows;
}

}  // namespace

std::vector<Guess> best_guesses(const Story& story, size_t sentence, size_t word,
                                const Visible& visible) {
  const Word& place = story.sentences[sentence].words[word];
  if (place.variable < 0) return {{place.text, 1.0}};
  const auto rows = possible_rows(story, place.variable, [&](size_t s, size_t w) {
    return !(s == sentence && w == word) && visible(s, w);
  });
  std::map<std::string, double> shares;
  for (const int row : rows)
    shares[realised(story, place, row)] += 1.0 / static_cast<double>(rows.size());
  std::vector<Guess> guesses;
  for (const auto& [text, probability] : shares) guesses.push_back({text, probability});
  std::stable_sort(guesses.begin(), guesses.end(), [](const Guess& a, const Guess& b) {
    return a.probability > b.probability + 1e-12;
  });
  return guesses;
}

Bound best_mlm(uint64_t seed, int64_t count, World world, double masked_share) {
  struct Sum {
    double right = 0, nat = 0, words = 0;
  };
  std::vector<Sum> sums(static_cast<size_t>(count));
  parallel_for(count, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Story told = story(seed, i, world);
      Random random(seed ^ 0x6d61736b, static_cast<uint64_t>(i));
      // The whole story, or what a pair with another story shows of it: a beginning as A, an end as
      // B.
      size_t first = 0, last = told.sentences.size();
      if (random.uniform() >= 0.5) {
        const auto cut = static_cast<size_t>(random.between(1, static_cast<int64_t>(last) - 1));
        if (random.uniform() < 0.5) last = cut;
        else first = cut;
      }
      std::vector<std::vector<bool>> hidden;
      for (const auto& sentence : told.sentences) {
        auto& row = hidden.emplace_back();
        for (size_t w = 0; w < sentence.words.size(); ++w)
          row.push_back(random.uniform() < masked_share);
      }
      const Visible visible = [&](size_t s, size_t w) {
        return s >= first && s < last && !hidden[s][w];
      };
      Sum& sum = sums[static_cast<size_t>(i)];
      for (size_t s = first; s < last; ++s)
        for (size_t w = 0; w < hidden[s].size(); ++w) {
          if (!hidden[s][w]) continue;
          const auto guesses = best_guesses(told, s, w, visible);
          sum.words += 1;
          // the expected share of right ones, whichever of equals is named
          sum.right += guesses[0].probability;
          for (const auto& guess : guesses)
            if (guess.word == told.sentences[s].words[w].text)
              sum.nat -= std::log(guess.probability);
        }
    }
  });
  Sum all;
  for (const Sum& sum : sums) all.right += sum.right, all.nat += sum.nat, all.words += sum.words;
  return {all.right / all.words, all.nat / all.words};
}

std::vector<Probe> story_probes(uint64_t seed, int64_t count, World world) {
  std::map<std::string, std::vector<Probe>> kinds;
  const int64_t stories = 200 + 4 * count;
  for (int64_t number = 0; number < stories; ++number) {
    const Story told = story(seed ^ 0x70726f6265, number, world);
    for (size_t s = 0; s < told.sentences.size(); ++s) {
      const auto& words = told.sentences[s].words;
      // what was told of the same thing before, and the sentence itself
      std::vector<bool> shown(told.sentences.size());
      std::string before;
      for (size_t i = 0; i <= s; ++i) {
        shown[i] = told.sentences[i].scene == told.sentences[s].scene &&
                   told.sentences[i].subject == told.sentences[s].subject;
        if (shown[i] && i < s) before += told.sentences[i].text() + " ";
      }
      for (size_t w = 0; w < words.size(); ++w) {
        if (words[w].variable < 0 || words[w].article) continue;
        const Table& table = *told.variables[static_cast<size_t>(words[w].variable)].table;
        const auto guesses =
            best_guesses(told, s, w, [&](size_t sentence, size_t) { return shown[sentence]; });
        if (guesses[0].probability < certain) continue;
        Sentence masked = told.sentences[s], right = masked;
        masked.words[w].text = "[MASK]";
        right.words.resize(w + 1);
        // a sentence's first word has its capital
        std::string answer = w == 0 ? right.text() : words[w].text;
        const std::string about =
            table.name + "." + table.columns[static_cast<size_t>(words[w].column)];
        kinds[about].push_back({before + masked.text(), std::move(answer), about});
      }
    }
  }
  std::vector<Probe> probes;
  for (size_t turn = 0; static_cast<int64_t>(probes.size()) < count; ++turn)
    for (const auto& [about, found] : kinds)
      if (turn < found.size() && static_cast<int64_t>(probes.size()) < count)
        probes.push_back(found[turn]);
  return probes;
}

}  // namespace gradus::story
