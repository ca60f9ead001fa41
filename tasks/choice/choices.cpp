#include "gradus/tasks/choice/choices.h"

#include <charconv>

#include "gradus/base/error.h"
#include "gradus/base/json.h"

namespace gradus {
namespace {

void set_label(ChoiceExample& example, const std::string& cell, const std::string& file) {
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), example.label);
  const bool number = error == std::errc() && end == cell.data() + cell.size();
  check(number && example.label >= 0 && static_cast<size_t>(example.label) < example.choices.size(),
        "{}:{}: the label '{}' must be the number of the right choice, 0 to {}", file, example.line,
        cell, example.choices.size() - 1);
}

// The columns ending0, ending1, … in order.
std::vector<size_t> ending_columns(const TableReader& table) {
  std::vector<size_t> columns;
  for (std::string name = "ending0"; table.has_column(name);
       name = fmt::format("ending{}", columns.size()))
    columns.push_back(table.column(name));
  return columns;
}

std::string join(const std::string& start, const std::string& end) {
  return start.empty() ? end : start + " " + end;
}

std::vector<std::string> choices_of(const std::string& cell, const std::string& file,
                                    int64_t line) {
  const auto list = parse_json(cell, false);
  check(list.is_array(), "{}:{}: choices must be a JSON list of strings, not '{}'", file, line,
        cell);
  std::vector<std::string> choices;
  for (const auto& choice : list) {
    check(choice.is_string(), "{}:{}: the choice {} is not a string", file, line, choice.dump());
    choices.push_back(choice.get<std::string>());
  }
  return choices;
}

}  // namespace

ChoiceSet read_choices(const std::filesystem::path& path, bool labelled) {
  TableOptions options;
  const bool codah = path.extension() == ".tsv";
  if (codah)
    options.columns = {"category", "context", "ending0", "ending1", "ending2", "ending3", "label"};
  TableReader table(path, options);
  const std::vector<size_t> endings = ending_columns(table);
  const size_t label = labelled ? table.column("label") : 0;
  const bool swag = !endings.empty() && !codah;
  const bool asked = !swag && table.has_column("question"),
             told = !swag && table.has_column("context");
  if (!swag && !asked) table.column("context");  // an Error where it is not there
  const char* plain_context = told ? "context" : "question";
  const size_t context = table.column(swag ? "sent1" : plain_context);
  size_t start = context;
  if (swag) start = table.column("sent2");
  else if (asked && told) start = table.column("question");
  const size_t choices = endings.empty() ? table.column("choices") : 0;

  ChoiceSet set{table.file(), {}};
  for (TableReader::Row row; table.next(row);) {
    ChoiceExample example{row.cells[context], {}, -1, row.line};
    if (endings.empty()) example.choices = choices_of(row.cells[choices], set.file, row.line);
    for (const size_t ending : endings) example.choices.push_back(row.cells[ending]);
    check(example.choices.size() >= 2, "{}:{}: there must be two choices or more, not {}", set.file,
          row.line, example.choices.size());
    if (start != context)
      for (auto& choice : example.choices) choice = join(row.cells[start], choice);
    if (labelled) set_label(example, row.cells[label], set.file);
    set.examples.push_back(std::move(example));
  }
  check(!set.examples.empty(), "{}: it holds no examples", set.file);
  return set;
}

}  // namespace gradus
