#include "gradus/tasks/tagging/tags.h"

#include <string_view>

namespace gradus {
namespace {

char prefix(std::string_view tag) { return tag.empty() ? 'O' : tag[0]; }
std::string_view type_of(std::string_view tag) {
  return tag.size() > 2 ? tag.substr(2) : std::string_view{};
}

// seqeval's end_of_chunk and start_of_chunk, which are conlleval.pl's.
bool ends(std::string_view previous, std::string_view tag) {
  const char p = prefix(previous), t = prefix(tag);
  if (p == 'O') return false;
  return p == 'E' || p == 'S' || t == 'B' || t == 'S' || t == 'O' ||
         type_of(previous) != type_of(tag);
}
bool begins(std::string_view previous, std::string_view tag) {
  const char p = prefix(previous), t = prefix(tag);
  if (t == 'O') return false;
  return t == 'B' || t == 'S' || p == 'E' || p == 'S' || p == 'O' ||
         type_of(previous) != type_of(tag);
}

}  // namespace

const char* scheme_name(TagScheme scheme) {
  switch (scheme) {
    case TagScheme::iob1: return "IOB1";
    case TagScheme::iob2: return "IOB2";
    default: return "BIOES";
  }
}

bool is_tag(const std::string& tag) {
  return tag == "O" || (tag.size() > 2 && tag[1] == '-' &&
                        std::string_view("BIES").find(tag[0]) != std::string_view::npos);
}

TagScheme recognise_scheme(const std::vector<Tags>& sentences) {
  bool begins_with_i = false, needless_b = false;
  for (const auto& tags : sentences) {
    std::string_view previous = "O";
    for (const std::string_view tag : tags) {
      if (prefix(tag) == 'E' || prefix(tag) == 'S') return TagScheme::bioes;
      const bool after_same = prefix(previous) != 'O' && type_of(previous) == type_of(tag);
      begins_with_i |= prefix(tag) == 'I' && !after_same;
      needless_b |= prefix(tag) == 'B' && !after_same;
      previous = tag;
    }
  }
  return begins_with_i && !needless_b ? TagScheme::iob1 : TagScheme::iob2;
}

bool is_irregular(TagScheme scheme, const std::string& previous, const std::string& tag) {
  const char p = prefix(previous), t = prefix(tag);
  const bool goes_on = t == 'I' || t == 'E', open = p == 'B' || p == 'I',
             same = type_of(previous) == type_of(tag);
  if (scheme == TagScheme::iob1) return t == 'B' && !(p != 'O' && same);
  if (scheme == TagScheme::iob2) return goes_on && !(open && same);
  return goes_on ? !(open && same) : open;
}

std::vector<Entity> entities(const Tags& tags) {
  std::vector<Entity> found;
  std::string_view previous = "O";
  int32_t begin = 0;
  for (size_t i = 0; i <= tags.size(); ++i) {
    const std::string_view tag = i < tags.size() ? std::string_view(tags[i]) : "O";
    if (ends(previous, tag))
      found.push_back({std::string(type_of(previous)), begin, static_cast<int32_t>(i)});
    if (begins(previous, tag)) begin = static_cast<int32_t>(i);
    previous = tag;
  }
  return found;
}

std::vector<Entity> strict_entities(const Tags& tags, TagScheme scheme) {
  if (scheme == TagScheme::iob1) return entities(tags);
  const bool bioes = scheme == TagScheme::bioes;
  std::vector<Entity> found;
  for (size_t i = 0; i < tags.size();) {
    const size_t begin = i++;
    const std::string_view type = type_of(tags[begin]);
    bool closed = !bioes;
    if (bioes && prefix(tags[begin]) == 'S') {
      closed = true;
    } else if (prefix(tags[begin]) == 'B') {
      while (i < tags.size() && prefix(tags[i]) == 'I' && type_of(tags[i]) == type) ++i;
      if (bioes && i < tags.size() && prefix(tags[i]) == 'E' && type_of(tags[i]) == type)
        closed = ++i > 0;
    } else {
      continue;
    }
    if (closed)
      found.push_back({std::string(type), static_cast<int32_t>(begin), static_cast<int32_t>(i)});
  }
  return found;
}

}  // namespace gradus
