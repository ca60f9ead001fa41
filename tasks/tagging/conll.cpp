#include "gradus/tasks/tagging/conll.h"

#include "gradus/base/error.h"
#include "gradus/base/file.h"

namespace gradus {
namespace {

void split_columns(std::string_view line, std::vector<std::string_view>& columns) {
  columns.clear();
  const bool tabs = line.find('\t') != std::string_view::npos;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find(tabs ? '\t' : ' ', begin), line.size());
    if (tabs || end > begin) columns.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
}

std::string_view column(const std::vector<std::string_view>& columns, int32_t number,
                        const std::string& where) {
  const auto count = static_cast<int32_t>(columns.size()),
             place = number < 0 ? count + number : number;
  check(place >= 0 && place < count,
        "{}: there is no column {}; the line has {} columns, and -1 is the last", where, number,
        count);
  return columns[static_cast<size_t>(place)];
}

}  // namespace

TaggedSet read_tagged(const std::filesystem::path& path, const ColumnOptions& options) {
  TaggedSet set{path.string(), {}, TagScheme::iob2, 0, 0};
  bool open = false;  // does the last sentence go on?
  std::vector<std::string_view> columns;
  for_each_line(path, [&](std::string_view line, int64_t number) {
    if (line.find_first_not_of(" \t") == std::string_view::npos ||
        line.rfind("-DOCSTART-", 0) == 0) {
      open = false;
      return;
    }
    const std::string where = fmt::format("{}:{}", set.file, number);
    split_columns(line, columns);
    if (!open) set.sentences.push_back({{}, {}, number});
    open = true;
    TaggedSentence& sentence = set.sentences.back();
    sentence.words.emplace_back(column(columns, options.word_column, where));
    check(!sentence.words.back().empty(), "{}: the word is empty", where);
    if (!options.labelled) return;
    check(columns.size() >= 2, "{}: the line has one column, a word and its tag are wanted", where);
    sentence.tags.emplace_back(column(columns, options.tag_column, where));
    check(is_tag(sentence.tags.back()),
          "{}: '{}' is not a tag; tags are O, or B-, I-, E-, S- and a type, as B-PER", where,
          sentence.tags.back());
  });
  check(!set.sentences.empty(), "{}: it holds no words", set.file);
  if (!options.labelled) return set;

  std::vector<Tags> tags;
  for (const auto& sentence : set.sentences) tags.push_back(sentence.tags);
  set.scheme = recognise_scheme(tags);
  for (const auto& sentence : set.sentences)
    for (size_t i = 0; i < sentence.tags.size(); ++i)
      if (is_irregular(set.scheme, i ? sentence.tags[i - 1] : "O", sentence.tags[i]) &&
          set.irregular++ == 0)
        set.irregular_line = sentence.line + static_cast<int64_t>(i);
  return set;
}

LabelTable collect_tags(const TaggedSet& set) {
  std::set<std::string> names{"O"};
  for (const auto& sentence : set.sentences)
    names.insert(sentence.tags.begin(), sentence.tags.end());
  return LabelTable::sorted(names);
}

std::vector<std::vector<int32_t>> tag_ids(const TaggedSet& set, const LabelTable& table) {
  std::vector<std::vector<int32_t>> ids;
  for (const auto& sentence : set.sentences) {
    auto& own = ids.emplace_back();
    for (size_t i = 0; i < sentence.tags.size(); ++i)
      own.push_back(table.id(sentence.tags[i], set.file, sentence.line + static_cast<int64_t>(i)));
  }
  return ids;
}

std::vector<int64_t> count_tags(const std::vector<std::vector<int32_t>>& ids,
                                const LabelTable& table) {
  std::vector<int64_t> counts(table.names().size());
  for (const auto& sentence : ids)
    for (const int32_t id : sentence) ++counts[static_cast<size_t>(id)];
  return counts;
}

}  // namespace gradus
