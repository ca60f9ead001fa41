#include "gradus/cli/corpus_page.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/chart.h"
#include "gradus/base/error.h"
#include "gradus/data/corpus_statistics.h"

namespace gradus::cli {
namespace {

std::string row(const std::string& name, const std::string& value) {
  return fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", escaped(name), escaped(value));
}

std::string numbers(const CorpusFile& corpus, int64_t near_duplicates) {
  const CorpusStatistics stats = statistics(corpus);
  const CorpusInfo& info = corpus.info();
  const TokenizerOptions& rules = corpus.tokenizer().options();
  std::string html = "<table>\n";
  html += row("vocabulary", fmt::format("{} tokens, {}, mode {}", corpus.vocabulary().size(),
                                        rules.lower_case ? "lower-cased" : "cased",
                                        rules.mode == TokenizerMode::hf ? "hf" : "google"));
  html += row("text", fmt::format("{} files, {} lines", info.files.size(), info.lines));
  html += row("lines seen before", fmt::format("{} ({})", info.duplicate_lines,
                                               percent(info.duplicate_lines, info.lines)));
  html += row("left out",
              fmt::format("{} lines, {} documents", info.dropped_lines, info.dropped_documents));
  html += row("documents like an earlier one", near_duplicates < 0
                                                   ? "not looked for (--near-duplicates 0.8)"
                                                   : fmt::format("{}", near_duplicates));
  html += row("cut by", "documents " + info.documents + ", sentences " + info.sentences);
  if (!std::isnan(stats.unigram_cross_entropy))
    html += row("held-out unigram cross-entropy",
                fmt::format("{:.3f} nat a token", stats.unigram_cross_entropy));
  html +=
      "</table>\n<table>\n<tr><th>split</th><th class=n>documents</th><th class=n>sentences</th>"
      "<th class=n>tokens</th><th class=n>[UNK]</th></tr>\n";
  for (const auto& [split, s] :
       {std::pair{Split::train, stats.train}, std::pair{Split::validation, stats.validation}})
    html += fmt::format(
        "<tr><td>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td "
        "class=n>{}</td></tr>\n",
        name(split), s.documents, s.sentences, s.tokens, percent(s.unknown, s.tokens));
  return html + "</table>\n";
}

Series lengths(const std::string& of, const std::vector<int64_t>& histogram) {
  Series series{of, {}, true};
  for (size_t place = 0; place < histogram.size(); ++place)
    if (histogram[place] > 0)
      series.points.emplace_back(std::exp2(static_cast<double>(place) / 2),
                                 static_cast<double>(histogram[place]));
  return series;
}

// Ids, the most frequent first.
std::vector<size_t> by_frequency(const std::vector<int64_t>& counts) {
  std::vector<size_t> order(counts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return counts[a] > counts[b]; });
  return order;
}

std::string words(const CorpusFile& corpus, const CorpusShape& shape) {
  const auto order = by_frequency(shape.token_counts);
  const int64_t all =
      std::accumulate(shape.token_counts.begin(), shape.token_counts.end(), int64_t{0});
  Series ranks{"tokens", {}, false};
  std::vector<Bar> bars;
  int64_t unseen = 0;
  for (size_t r = 0; r < order.size(); ++r) {
    const int64_t count = shape.token_counts[order[r]];
    unseen += count == 0;
    // every rank up to 100, then fewer and fewer
    if (count > 0 &&
        (r < 100 ||
         (r + 1) % (static_cast<size_t>(std::pow(10, std::floor(std::log10(r)) - 1))) == 0))
      ranks.points.emplace_back(static_cast<double>(r + 1), static_cast<double>(count));
    const std::string& token = corpus.vocabulary().token(static_cast<int32_t>(order[r]));
    const auto is_letter = [](unsigned char c) { return c >= 0x80 || std::isalpha(c); };
    if (bars.size() < 30 && count > 0 && is_letter(static_cast<unsigned char>(token[0])))
      bars.push_back(
          {token, static_cast<double>(count), fmt::format("{} ({})", count, percent(count, all))});
  }
  return svg_chart({ranks}, {.title = "How often each token stands, by rank",
                             .x_label = "rank",
                             .y_label = "times",
                             .log_x = true,
                             .log_y = true}) +
         fmt::format("<p>{} of the {} tokens do not stand in this text.</p>\n", unseen,
                     order.size()) +
         svg_bars(bars, "The most frequent tokens that begin a word");
}

std::string sources(const CorpusFile& corpus, const CorpusShape& shape) {
  const auto& files = corpus.info().files;
  std::vector<double> weighted;
  double all = 0;
  for (size_t f = 0; f < files.size(); ++f) {
    weighted.push_back(static_cast<double>(shape.tokens_of_file[f]) * files[f].weight);
    all += weighted.back();
  }
  const auto order = by_frequency(shape.tokens_of_file);
  std::vector<Bar> bars;
  for (const size_t f : order)
    if (bars.size() < 20 && shape.tokens_of_file[f] > 0)
      bars.push_back(
          {std::filesystem::path(files[f].path).filename().string(), weighted[f],
           fmt::format("{:.1f} %{}", 100 * weighted[f] / all,
                       files[f].weight == 1 ? "" : fmt::format(", weight {:g}", files[f].weight))});
  return svg_bars(bars, "Where an epoch's tokens come from: the largest files");
}

std::string instance_html(const Vocabulary& vocabulary, const Instance& instance) {
  std::string html = "<p>";
  const char* styles[] = {"", "masked", "replaced", "kept"};
  for_each_place(
      vocabulary, instance,
      [&](Shown shown, size_t, const std::string& token, const std::string& label) {
        if (shown == Shown::token) {
          html += token.starts_with("##") ? escaped(token.substr(2)) : " " + escaped(token);
          return;
        }
        html += fmt::format(" <span class=\"piece {}\" title=\"{}\">{}</span>",
                            styles[static_cast<size_t>(shown)], escaped(token), escaped(label));
      });
  return html + "</p>\n";
}

}  // namespace

std::string corpus_page(const CorpusFile& corpus, Split split, const InstanceSource& source,
                        int64_t epoch, int64_t instances, int64_t near_duplicates) {
  const CorpusShape shape = gradus::shape(corpus, split);
  std::string body = numbers(corpus, near_duplicates);
  body += svg_chart(
      {lengths("sentences", shape.sentences_of), lengths("documents", shape.documents_of)},
      {.title = "Lengths",
       .x_label = "tokens",
       .y_label = "how many",
       .log_x = true,
       .log_y = true});
  body += sources(corpus, shape) + words(corpus, shape);
  const int64_t size = source.size(epoch);
  body += fmt::format(
      "<h2>What the model sees</h2>\n<p>Epoch {} of {}: {} instances, {} tokens. <span "
      "class=\"piece masked\">masked</span> <span class=\"piece replaced\">replaced at "
      "random</span> <span class=\"piece kept\">left as it was</span>: shown is the word to be "
      "predicted; what the model sees there is told where the pointer rests.</p>\n",
      epoch, name(split), size, source.tokens(epoch));
  for (int64_t i = 0; i < std::min(instances, size); ++i) {
    const Instance instance = source.get(epoch, i);
    const char* about = instance.next_label < 0    ? ""
                        : instance.next_label == 0 ? ", the second part follows"
                                                   : ", the second part is from elsewhere";
    body += fmt::format("<h3>instance {}: {} tokens, {} predicted{}</h3>\n", i, instance.ids.size(),
                        instance.positions.size(), about);
    body += instance_html(corpus.vocabulary(), instance);
  }
  return html_page(corpus.path().filename().string(), body);
}

}  // namespace gradus::cli
