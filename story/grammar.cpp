#include "gradus/story/grammar.h"

#include <cctype>
#include <sstream>

#include "gradus/base/error.h"
#include "gradus/story/large_scenes.h"
#include "gradus/story/small_scenes.h"

namespace gradus::story {
namespace {

Slot parse_slot(std::string word) {
  Slot slot;
  if (word.starts_with("a:")) {
    slot.article = true;
    word.erase(0, 2);
  }
  const size_t dot = word.find('.');
  if (dot == std::string::npos || word.size() == 1) slot.text = word;
  else slot.variable = word.substr(0, dot), slot.column = word.substr(dot + 1);
  return slot;
}

Way parse_way(const std::string& line) {
  Way way(1);
  std::istringstream in(line);
  for (std::string word; in >> word;)
    if (word == "|") way.emplace_back();
    else way.back().push_back(parse_slot(word));
  return way;
}

Scene parse_heading(const std::string& line) {
  Scene scene;
  std::istringstream in(line);
  in >> scene.name >> scene.topic;
  for (std::string word; in >> word;)
    if (word == "once") scene.once = true;
    else if (word == "after") in >> scene.after;
    else if (word == "value") in >> scene.value;
    else fail("story world, scene {}: '{}' is none of value, after, once", scene.name, word);
  return scene;
}

std::vector<Scene> parse_scenes(std::string_view text) {
  std::vector<Scene> result;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    while (lines.peek() == ' ') {  // goes on in the next line
      std::string rest;
      std::getline(lines, rest);
      line += rest;
    }
    if (line[0] == '#') result.push_back(parse_heading(line.substr(1)));
    else if (line[0] == '+') result.back().again.push_back(parse_way(line.substr(1)));
    else if (line[0] == '?') result.back().asked.push_back(parse_way(line.substr(1)));
    else result.back().told.push_back(parse_way(line));
  }
  return result;
}

}  // namespace

const std::vector<Scene>& scenes(World world) {
  static const std::vector<Scene> small = parse_scenes(small_scenes),
                                  large = parse_scenes(large_scenes);
  return world == World::small ? small : large;
}

const Scene& scene(std::string_view name) {
  for (const Scene& scene : scenes(World::small))
    if (scene.name == name) return scene;
  fail("story world: there is no scene {}", name);
}

std::string table_name(std::string variable) {
  if (variable == "p" || variable == "q") return "person";
  while (std::isdigit(static_cast<unsigned char>(variable.back()))) variable.pop_back();
  return variable;
}

}  // namespace gradus::story
