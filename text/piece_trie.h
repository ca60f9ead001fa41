// PieceTrie: the tokens of a Vocabulary as a trie over bytes, to find the longest token that begins
// a string. The edges lie in one hash table, so that building is plain insertion and a step is one
// probe. Beside it a table of the short tokens, for the words that are one: most of a text. Tokens
// and text are valid UTF-8, so a match never ends inside a character.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "gradus/text/vocabulary.h"

namespace gradus {

class PieceTrie {
 public:
  struct Match {
    int32_t id;     // -1: nothing matches
    size_t length;  // bytes of the text
  };

  explicit PieceTrie(const Vocabulary& vocabulary) : edges_(1024) {
    size_t places = 2;
    for (; places < 2 * static_cast<size_t>(vocabulary.size()); places *= 2) --short_shift_;
    short_.resize(places);
    for (int32_t id = 0; id < vocabulary.size(); ++id) {
      insert(vocabulary.token(id), id);
      insert_short(vocabulary.token(id), id);
    }
    uint32_t node = 0;
    for (char c : std::string_view("##")) node = node == kNone ? kNone : find(node, c).child;
    continuation_ = node;
  }

  // The token that is all of `word`, where both are short; -1: look for the longest.
  int32_t short_token(std::string_view word) const {
    return word.size() > ShortText::most ? -1 : short_[short_slot(ShortText(word))].id;
  }

  // The longest token that `text` begins with, as the first piece of a word or, with "##" before
  // it, as a later one.
  Match longest(std::string_view text, bool continuation) const {
    Match best{-1, 0};
    uint32_t node = continuation ? continuation_ : 0;
    if (node == kNone) return best;
    for (size_t i = 0; i < text.size(); ++i) {
      const Edge& edge = find(node, text[i]);
      if (edge.child == kNone) break;
      if (edge.id >= 0) best = {edge.id, i + 1};
      node = edge.child;
    }
    return best;
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct ShortText {  // at most 15 bytes, and how many they are, as two numbers
    static constexpr size_t most = 15;
    uint64_t low = 0, high = 0;
    ShortText() = default;
    explicit ShortText(std::string_view text) {
      std::memcpy(&low, text.data(), std::min<size_t>(text.size(), 8));
      if (text.size() > 8) std::memcpy(&high, text.data() + 8, text.size() - 8);
      high |= static_cast<uint64_t>(text.size()) << 56;
    }
    bool operator==(const ShortText&) const = default;
  };
  struct ShortToken {
    ShortText text;
    int32_t id = -1;  // -1: a free place
  };

  size_t short_slot(const ShortText& text) const {
    size_t at =
        ((text.low ^ (text.high * 0xff51afd7ed558ccdull)) * 0x9E3779B97F4A7C15ull) >> short_shift_;
    const ShortToken* tokens = short_.data();
    while (tokens[at].id >= 0 && tokens[at].text != text) at = (at + 1) & (short_.size() - 1);
    return at;
  }
  void insert_short(std::string_view token, int32_t id) {
    if (token.empty() || token.size() > ShortText::most) return;
    const ShortText text(token);
    short_[short_slot(text)] = {text, id};
  }

  struct Edge {
    uint64_t key = UINT64_MAX;
    uint32_t child = kNone;
    int32_t id = -1;  // of the token that ends with this edge
  };

  static uint64_t key(uint32_t node, char c) {
    return static_cast<uint64_t>(node) << 8 | static_cast<unsigned char>(c);
  }

  // The edge, or the free place where it would go.
  size_t slot(uint64_t wanted) const {
    size_t at = (wanted * 0x9E3779B97F4A7C15ull) >> shift_;
    const Edge* edges = edges_.data();
    while (edges[at].key != wanted && edges[at].child != kNone) at = (at + 1) & (edges_.size() - 1);
    return at;
  }
  const Edge& find(uint32_t node, char c) const { return edges_.data()[slot(key(node, c))]; }

  void insert(std::string_view token, int32_t id) {
    uint32_t node = 0;
    size_t at = 0;
    for (char c : token) {
      if (2 * (nodes_ + 1) > edges_.size()) grow();
      at = slot(key(node, c));
      if (edges_[at].child == kNone) edges_[at] = {key(node, c), nodes_++, -1};
      node = edges_[at].child;
    }
    if (!token.empty()) edges_[at].id = id;
  }

  void grow() {
    std::vector<Edge> old(2 * edges_.size());
    old.swap(edges_);
    --shift_;
    for (const Edge& edge : old)
      if (edge.child != kNone) edges_[slot(edge.key)] = edge;
  }

  std::vector<Edge> edges_;  // a power of two of places, at most half of them taken
  int shift_ = 64 - 10;
  uint32_t nodes_ = 1, continuation_ = kNone;
  std::vector<ShortToken> short_;  // a power of two of places, at most half of them taken
  int short_shift_ = 63;
};

}  // namespace gradus
