// Tags of words that mark entities: which scheme they follow, and which entities they spell out.
//
//   IOB1   I- inside, B- only where an entity follows another of its type directly    I-PER I-PER O
//   IOB2    B- begins every entity                                                    B-PER I-PER O
//   BIOES   and the last word has E-, a single one S-                           B-PER E-PER O S-LOC
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace gradus {

using Tags = std::vector<std::string>;  // of one sentence, a tag a word

enum class TagScheme { iob1, iob2, bioes };
const char* scheme_name(TagScheme scheme);  // "IOB1", …

bool is_tag(const std::string& tag);  // "O", or one of B- I- E- S- and a type

// The scheme that the tags follow most nearly: BIOES where any is E- or S-; IOB1 where entities
// begin with I- and B- stands only where IOB1 needs it; IOB2.
TagScheme recognise_scheme(const std::vector<Tags>& sentences);

// Does the scheme forbid `tag` behind `previous` ("O" before the first word)? In IOB2 an I- that
// continues nothing, in BIOES also what leaves an entity open.
bool is_irregular(TagScheme scheme, const std::string& previous, const std::string& tag);

struct Entity {
  std::string type;
  int32_t begin = 0, end = 0;  // words [begin, end)
  auto operator<=>(const Entity&) const = default;
};

// As conlleval.pl and seqeval's default mode read them, whatever the scheme: an I- or E- behind O
// or another type begins an entity.
std::vector<Entity> entities(const Tags& tags);

// As seqeval's strict mode reads IOB2 and BIOES: what does not follow the scheme is no entity. IOB1
// has nothing to be strict about here: entities().
std::vector<Entity> strict_entities(const Tags& tags, TagScheme scheme);

}  // namespace gradus
