#include "gradus/tasks/question/squad.h"

#include <algorithm>
#include <set>

#include "gradus/base/error.h"
#include "gradus/base/json.h"
#include "gradus/text/code_points.h"

namespace gradus {
namespace {

using Json = nlohmann::json;

// The member `name` of an object, of the wanted type.
const Json& member(const Json& object, const char* name, Json::value_t type,
                   const std::string& where) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  check(object.is_object() && found != object.end(),
        "{}: there is no \"{}\"; SQuAD's form is data[].paragraphs[].{{context, qas[]}}", where,
        name);
  check(found->type() == type, "{}: \"{}\" must be {}, not {}", where, name, Json(type).type_name(),
        found->type_name());
  return *found;
}

QaAnswer read_answer(const Json& answer, const std::string& where) {
  QaAnswer out{member(answer, "text", Json::value_t::string, where).get<std::string>(), 0};
  const auto start = answer.find("answer_start");
  check(start != answer.end() && start->is_number_integer(),
        "{}: \"answer_start\" must be a whole number", where);
  out.start = start->get<int64_t>();
  return out;
}

QaQuestion read_question(const Json& json, size_t context, const std::string& where) {
  QaQuestion question;
  question.context = context;
  question.id = member(json, "id", Json::value_t::string, where).get<std::string>();
  question.question = member(json, "question", Json::value_t::string, where).get<std::string>();
  if (json.contains("is_impossible"))
    question.impossible = member(json, "is_impossible", Json::value_t::boolean, where).get<bool>();
  if (!json.contains("answers")) return question;
  const Json& answers = member(json, "answers", Json::value_t::array, where);
  if (answers.empty()) question.impossible = true;
  if (question.impossible) return question;
  for (size_t i = 0; i < answers.size(); ++i)
    question.answers.push_back(read_answer(answers[i], fmt::format("{}.answers[{}]", where, i)));
  return question;
}

bool is_space(std::string_view character) {  // run_squad.py's
  return character == " " || character == "\t" || character == "\r" || character == "\n" ||
         character == "\u202F";
}

}  // namespace

bool QaSet::has_impossible() const {
  return std::any_of(questions.begin(), questions.end(),
                     [](const QaQuestion& question) { return question.impossible; });
}

QaSet read_squad(const std::filesystem::path& path) {
  const Json json = read_json(path);
  const std::string file = path.string();
  QaSet set{file, {}, {}, {}};
  if (const auto version = json.find("version"); version != json.end())
    set.version = version->is_string() ? version->get<std::string>() : version->dump();
  std::set<std::string> ids;
  const Json& data = member(json, "data", Json::value_t::array, file);
  for (size_t d = 0; d < data.size(); ++d) {
    const std::string article = fmt::format("{}: data[{}]", file, d);
    const Json& paragraphs = member(data[d], "paragraphs", Json::value_t::array, article);
    for (size_t p = 0; p < paragraphs.size(); ++p) {
      const std::string where = fmt::format("{}.paragraphs[{}]", article, p);
      set.contexts.push_back(
          member(paragraphs[p], "context", Json::value_t::string, where).get<std::string>());
      const Json& questions = member(paragraphs[p], "qas", Json::value_t::array, where);
      for (size_t q = 0; q < questions.size(); ++q) {
        const std::string here = fmt::format("{}.qas[{}]", where, q);
        set.questions.push_back(read_question(questions[q], set.contexts.size() - 1, here));
        check(ids.insert(set.questions.back().id).second,
              "{}: another question has the id '{}' too; predictions are kept by id", here,
              set.questions.back().id);
      }
    }
  }
  check(!set.questions.empty(), "{}: it holds no questions", file);
  return set;
}

AnswerSpan locate_answer(const std::string& context, const QaAnswer& answer) {
  const CodePoints points(context);
  const int64_t length = CodePoints(answer.text).size();
  if (answer.start < 0 || answer.start >= points.size() || length == 0) return {};
  int64_t begin = answer.start, end = std::min(begin + length, points.size());
  if (points.slice(begin, end) == answer.text) return {begin, end, true};
  while (begin > 0 && !is_space(points.slice(begin - 1, begin))) --begin;
  while (end < points.size() && !is_space(points.slice(end, end + 1))) ++end;

  // Both with runs of white space as one space and none at the ends; `origins` has the code point
  // that each byte of the words came from.
  std::string words, wanted;
  std::vector<int64_t> origins;
  for (int64_t i = begin; i < end; ++i) {
    const std::string_view character = points.slice(i, i + 1);
    if (!is_space(character)) words += character;
    else if (!words.empty() && words.back() != ' ') words += ' ';
    origins.resize(words.size(), i);
  }
  const CodePoints letters(answer.text);
  for (int64_t i = 0; i < letters.size(); ++i) {
    const std::string_view character = letters.slice(i, i + 1);
    if (!is_space(character)) wanted += character;
    else if (!wanted.empty() && wanted.back() != ' ') wanted += ' ';
  }
  if (!wanted.empty() && wanted.back() == ' ') wanted.pop_back();
  const size_t found = words.find(wanted);
  if (wanted.empty() || found == std::string::npos) return {};
  return {origins[found], origins[found + wanted.size() - 1] + 1, false};
}

}  // namespace gradus
