// The little language in which scenes are written, and the scenes read from it.
//
//   # scene topic [value VARIABLE] [after SCENE] [once]
//   sentence . | sentence .   a line (and the indented ones behind it) is one way to tell the scene
//   + sentence .                      one way to say it again, once it was told
//   ? question ? | answer .           the same as a question
//
// A word with a dot is variable.column of the table of that name; a: stands for the article before
// the next word. p and q are the two persons of a story; told the other way round, they change
// places, and every other variable is then another one: his key is not hers. `value` names the
// variable that the scene is about: another row of it makes the scene untrue. `after`: only behind
// that scene. `once`: of one person only. Two ways of telling never differ in a single fixed word,
// so that every masked word's best guess can be computed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradus/story/tables.h"

namespace gradus::story {

struct Slot {
  std::string text, variable, column;  // text where variable is empty
  bool article = false;
};
using Pattern = std::vector<Slot>;  // a sentence
using Way = std::vector<Pattern>;

struct Scene {
  std::string name, topic, value, after;
  bool once = false;
  std::vector<Way> told, again, asked;
};

// The scenes that documents of that world are made of, as they are written.
const std::vector<Scene>& scenes(World world);

// A scene of the small world. Every labelled set is told in these, with the words of either world.
const Scene& scene(std::string_view name);

// "thing2" is of the table thing; p and q are persons.
std::string table_name(std::string variable);

}  // namespace gradus::story
