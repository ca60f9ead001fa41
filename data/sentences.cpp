#include "gradus/data/sentences.h"

#include <algorithm>
#include <array>

namespace gradus {
namespace {

constexpr std::string_view space = " \t\r\n\f\v";
constexpr auto npos = std::string_view::npos;

// Abbreviations that stand before a capital and do not end a sentence. Those that often do ("etc.",
// "p.m.", "Co.") are left out.
constexpr std::array<std::string_view, 46> abbreviations = {
    "Adm",  "Brig", "Capt", "Cdr",   "Col", "Comdr", "Dr",     "Drs",   "Esq", "Fig",  "Fr", "Ft",
    "Gen",  "Gov",  "Hon",  "Lieut", "Lt",  "Maj",   "Messrs", "Mlle",  "Mme", "Mons", "Mr", "Mrs",
    "Ms",   "Mt",   "Pres", "Prof",  "Rep", "Rev",   "Sen",    "Sergt", "Sgt", "Sr",   "St", "Ste",
    "Supt", "Vol",  "cf",   "e.g",   "i.e", "lb",    "pp",     "viz",   "vs",  "v"};
// "No. 5" goes on, "No. He left." does not
constexpr std::array<std::string_view, 4> before_numbers = {"No", "Nos", "Art", "p"};

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

// The length of the mark at text[i] where `marks` lists it (each mark is one UTF-8 character), else
// 0.
template <size_t n>
size_t mark_at(std::string_view text, size_t i, const std::array<std::string_view, n>& marks) {
  for (const auto mark : marks)
    if (text.substr(i, mark.size()) == mark) return mark.size();
  return 0;
}
// Those of Chinese and Japanese are wide, and no white space follows them.
constexpr std::array<std::string_view, 3> wide_enders = {"。", "！", "？"};
constexpr std::array<std::string_view, 7> enders = {".", "!", "?", "…", "。", "！", "？"};
constexpr std::array<std::string_view, 12> closers = {"\"", "'", ")", "]",  "}",  "”",
                                                      "’",  "»", "*", "」", "』", "）"};
constexpr std::array<std::string_view, 14> openers = {"\"", "'", "(", "[", "{", "“", "‘",
                                                      "«",  "—", "–", "-", "`", "_", "*"};

// Can a sentence begin at text[i]?
bool can_begin(std::string_view text, size_t i) {
  while (i < text.size())
    if (const size_t size = mark_at(text, i, openers)) i += size;
    else break;
  if (i >= text.size() || mark_at(text, i, enders)) return false;
  return is_upper(text[i]) || is_digit(text[i]) || static_cast<unsigned char>(text[i]) >= 0x80;
}

// Does the full stop at text[dot] belong to an abbreviation or an initial? `next` is where the
// following word begins.
bool is_abbreviation(std::string_view text, size_t dot, size_t next) {
  size_t begin = dot;
  while (begin > 0 && (is_letter(text[begin - 1]) || (text[begin - 1] == '.' && begin < dot)))
    --begin;
  const std::string_view word = text.substr(begin, dot - begin);
  // "J. Smith"; "It was I. He ..." ends
  if (word.size() == 1 && is_upper(word[0]) && word[0] != 'I') return true;
  if (std::find(abbreviations.begin(), abbreviations.end(), word) != abbreviations.end())
    return true;
  return is_digit(text[next]) &&
         std::find(before_numbers.begin(), before_numbers.end(), word) != before_numbers.end();
}

}  // namespace

std::vector<std::string_view> split_sentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  const auto add = [&](size_t begin, size_t end) {
    begin = text.find_first_not_of(space, begin);
    if (begin == npos || begin >= end) return;
    sentences.push_back(text.substr(begin, text.find_last_not_of(space, end - 1) + 1 - begin));
  };
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    size_t size = mark_at(text, i, enders);
    if (!size) {
      ++i;
      continue;
    }
    const size_t first = i;
    bool wide = false;
    while ((size = mark_at(text, i, enders))) {
      wide = mark_at(text, i, wide_enders) > 0;
      i += size;
    }
    const bool lone_stop = i == first + 1 && text[first] == '.';
    while (i < text.size() && (size = mark_at(text, i, closers))) {
      i += size;
      wide = false;  // who said it may stand behind the quote
    }
    const size_t next = text.find_first_not_of(space, i);
    if (next == npos) break;
    if ((next == i && !wide) || !can_begin(text, next) ||
        (lone_stop && is_abbreviation(text, first, next)))
      continue;
    add(begin, i);
    begin = i;
  }
  add(begin, text.size());
  return sentences;
}

}  // namespace gradus
