#include "gradus/text/normalizer.h"

#include <algorithm>
#include <cstring>

namespace gradus {

WordScanner::WordScanner(const Rules& rules, std::string_view text, int32_t position)
    : rules_(rules),
      text_(text.data()),
      at_(text_),
      end_(text_ + text.size()),
      position_(position),
      bytes_(64),
      origins_(64) {}

bool WordScanner::next() {
  length_ = 0;
  word_begin_ = at_;
  while (at_ < end_) {
    reserve(16);
    const char* stop =
        at_ + std::min<size_t>(static_cast<size_t>(end_ - at_), bytes_.size() - length_);
    // Plain ASCII letters, nearly all of most text, in registers.
    char* byte = bytes_.data() + length_;
    int32_t* origin = origins_.data() + length_;
    const char* at = at_;
    for (char letter; at < stop && (letter = rules_.letter(static_cast<unsigned char>(*at)));
         ++at) {
      *byte++ = letter;
      *origin++ = position_ + static_cast<int32_t>(at - at_);
    }
    length_ += static_cast<size_t>(at - at_);
    position_ += static_cast<int32_t>(at - at_);
    at_ = at;
    if (at_ == stop) continue;

    const char* begin = at_;
    const Step step = rules_.step(read_utf8(at_));
    switch (step.action) {
      case Action::copy: append(begin, static_cast<size_t>(at_ - begin), position_); break;
      case Action::replace:
        append(rules_.text(step).data(), rules_.text(step).size(), position_);
        break;
      case Action::sigma: append(is_final_sigma(begin) ? "\u03C2" : "\u03C3", 2, position_); break;
      case Action::drop:
      case Action::remove: break;
      case Action::reorder: reorder(begin); continue;
      case Action::split:
        ++position_;
        if (length_) return true;
        word_begin_ = at_;
        continue;
      case Action::alone:
        if (length_) {
          at_ = begin;
          return true;
        }
        if (step.text_begin) append(rules_.text(step).data(), rules_.text(step).size(), position_);
        else append(begin, static_cast<size_t>(at_ - begin), position_);
        ++position_;
        return true;
    }
    ++position_;
  }
  return length_ > 0;
}

void WordScanner::append(const char* bytes, size_t size, int32_t origin) {
  reserve(size);
  std::memcpy(bytes_.data() + length_, bytes, size);
  std::fill_n(origins_.begin() + static_cast<std::ptrdiff_t>(length_), size, origin);
  length_ += size;
}

void WordScanner::reserve(size_t more) {
  if (length_ + more <= bytes_.size()) return;
  bytes_.resize(2 * bytes_.size() + more);
  origins_.resize(bytes_.size());
}

// Canonical ordering (Unicode 3.11) of the marks round `begin`. Most marks are removed and their
// order does not matter; this is for the few that stay. A run is a starter and the marks after it;
// what of it was appended already is taken back and done again in order. Origins follow tokenizers:
// the first part of each code point takes the next place of the original, further parts share the
// place of what stands before them.
void WordScanner::reorder(const char* begin) {
  struct Part {
    char32_t c;
    int combining_class;
    bool first;
  };
  const auto step_at = [&](const char* at) { return rules_.step(read_utf8(at)); };

  const char* start = begin;
  for (const char* at = begin;;) {
    const Step step = step_at(at);
    if (step.action != Action::drop) start = at;
    if ((step.action != Action::drop && step.starter) || at == word_begin_) break;
    at = before_utf8(at);
  }
  for (const char* at = start; at < begin; read_utf8(at)) --position_;
  while (length_ && origins_[length_ - 1] >= position_) --length_;

  std::vector<Part> parts;
  std::vector<int32_t> places;
  for (at_ = start; at_ < end_; ++position_) {
    const char* here = at_;
    const char32_t c = read_utf8(at_);
    const Step step = rules_.step(c);
    if (step.action == Action::drop) continue;
    if (here != start && step.starter) {
      at_ = here;
      break;
    }
    places.push_back(position_);
    bool first = true;
    if (step.action == Action::sigma)
      parts.push_back({static_cast<char32_t>(is_final_sigma(here) ? 0x3C2 : 0x3C3), 0, true});
    else
      for (char32_t part : rules_.decompose(c)) {
        parts.push_back({part, rules_.combining_class(part), first});
        first = false;
      }
  }
  for (auto from = parts.begin(); from != parts.end();) {
    const auto to =
        std::find_if(from, parts.end(), [](const Part& part) { return part.combining_class == 0; });
    std::stable_sort(from, to, [](const Part& a, const Part& b) {
      return a.combining_class < b.combining_class;
    });
    from = to == parts.end() ? to : to + 1;
  }
  size_t place = 0;
  std::string text;
  for (const Part& part : parts) {
    if (part.first) ++place;
    if (rules_.is_mark(part.c)) continue;
    text.clear();
    append_utf8(text, rules_.finish(part.c));
    append(text.data(), text.size(), places[place ? place - 1 : 0]);
  }
}

// Python's str.lower() on the word between white space: a sigma is final after a cased letter and
// before none, case-ignorable characters between skipped.
bool WordScanner::is_final_sigma(const char* begin) const {
  const auto ends_word = [&](char32_t c, Step step) {
    return step.action == Action::split || (step.action == Action::alone && rules_.is_ideograph(c));
  };
  const auto cased = [&](char32_t c, bool& decided) {
    const Step step = rules_.step(c);
    if (step.action == Action::drop || (!ends_word(c, step) && rules_.is_case_ignorable(c)))
      return false;
    decided = true;
    return !ends_word(c, step) && rules_.is_cased(c);
  };
  bool decided = false, after = false, before = false;
  for (const char* at = begin; at > text_ && !decided;) {
    at = before_utf8(at);
    const char* read = at;
    after = cased(read_utf8(read), decided);
  }
  if (!after) return false;
  decided = false;
  const char* at = begin;
  for (read_utf8(at); at < end_ && !decided;) before = cased(read_utf8(at), decided);
  return !before;
}

}  // namespace gradus
