#include "gradus/cli/verb.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <limits>

#include "gradus/base/closest.h"
#include "gradus/base/error.h"

namespace gradus::cli {
namespace {

// The group of options that --help leaves out. (Those without a group have no name in errors.)
constexpr const char* hidden_group = "hidden";

// CLI11's help with one empty line between groups, and room for long names, so that a verb's fits a
// screen.
struct Formatter : CLI::Formatter {
  Formatter() { column_width(34); }
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    if (group == hidden_group) return "";
    return CLI::Formatter::make_group(std::move(group), is_positional, std::move(options));
  }
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
    for (size_t at; (at = text.find("\n\n\n")) != std::string::npos;) text.erase(at, 1);
    return text;
  }
};

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* known : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(known->get_name());
  return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* known : app.get_options())
    for (const std::string& name : known->get_lnames())
      if (name != "help") names.push_back("--" + name);
  return names;
}

// The verb that was asked for, as deep as it was named.
const CLI::App& asked(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : asked(*chosen[0]);
}

// What to say of arguments that nothing takes; "" where there are none.
std::string unexpected(const CLI::App& app) {
  auto left = app.remaining(true);
  std::erase(left, "--");
  if (left.empty()) return "";
  const CLI::App& verb = asked(app);
  const auto option = std::find_if(left.begin(), left.end(), [](const std::string& argument) {
    return argument.starts_with("-");
  });
  const auto verbs = verbs_of(verb), options = options_of(verb);
  if (option == left.end()) {
    if (verbs.empty()) return fmt::format("'{}' is not expected here", left[0]);
    return fmt::format("there is no verb {}{}", left[0], closest(left[0], verbs));
  }
  const std::string name = option->substr(0, option->find('='));
  if (!verbs.empty())
    return fmt::format("{} comes too early: one of {} is missing before it", name,
                       fmt::join(verbs, ", "));
  if (std::find(options.begin(), options.end(), name) != options.end())
    return fmt::format("{} belongs behind {}", name, verb.get_name());
  return fmt::format("there is no option {}{}", name, closest(name, options));
}

// What CLI11 would read as another number: digits that overflow, a sign before a number without
// one, the beginning of what is none.
template <class T>
std::string fault_of_number(const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && at == end) return "";
  if constexpr (std::is_floating_point_v<T>) return fmt::format("'{}' is not a number", text);
  else
    return fmt::format("'{}' is not a whole number from {} to {}", text,
                       std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
}

template <class T>
struct NumberOf {
  using type = T;
};
template <class T>
struct NumberOf<std::optional<T>> {
  using type = T;
};

bool worth_showing(const std::string& text) { return !text.empty(); }
bool worth_showing(const std::filesystem::path& path) { return !path.empty(); }
template <class T>
bool worth_showing(const T& value) {
  if constexpr (std::is_arithmetic_v<T>) return value > 0;
  else return false;
}

}  // namespace

Option& Option::required() { return option_->required(), *this; }
Option& Option::positive() { return option_->check(CLI::PositiveNumber), *this; }
Option& Option::not_negative() { return option_->check(CLI::NonNegativeNumber), *this; }
Option& Option::between(int64_t least, int64_t most) {
  return option_->check(CLI::Range(least, most)), *this;
}
Option& Option::one_of(std::vector<std::string> values) {
  return option_->check(CLI::IsMember(std::move(values))), *this;
}
Option& Option::separated_by(char delimiter) { return option_->delimiter(delimiter), *this; }
Option& Option::count(int least, int most) { return option_->expected(least, most), *this; }
Option& Option::excludes(const Option& other) { return option_->excludes(other.option_), *this; }
Option& Option::needs(const Option& other) { return option_->needs(other.option_), *this; }
bool Option::given() const { return option_->count() > 0; }
Option& Option::hidden() { return option_->group(hidden_group), *this; }

Verb Verb::verb(const std::string& name, const std::string& about) {
  app_->require_subcommand(1);
  return Verb(app_->add_subcommand(name, about));
}

template <class T>
Option Verb::option(const std::string& name, T& value, const std::string& about) {
  CLI::Option* option = app_->add_option(name, value, about);
  if (name.starts_with("-")) option->group(heading_);
  if (worth_showing(value)) option->capture_default_str();
  using Number = typename NumberOf<T>::type;
  if constexpr (std::is_arithmetic_v<Number>) option->check(&fault_of_number<Number>);
  return Option(option);
}

// What variables there are.
template Option Verb::option(const std::string&, std::string&, const std::string&);
template Option Verb::option(const std::string&, std::optional<std::string>&, const std::string&);
template Option Verb::option(const std::string&, std::filesystem::path&, const std::string&);
template Option Verb::option(const std::string&, int&, const std::string&);
template Option Verb::option(const std::string&, int64_t&, const std::string&);
template Option Verb::option(const std::string&, uint64_t&, const std::string&);
template Option Verb::option(const std::string&, double&, const std::string&);
template Option Verb::option(const std::string&, std::optional<double>&, const std::string&);
template Option Verb::option(const std::string&, std::optional<std::filesystem::path>&,
                             const std::string&);
template Option Verb::option(const std::string&, std::vector<std::string>&, const std::string&);
template Option Verb::option(const std::string&, std::vector<std::filesystem::path>&,
                             const std::string&);

Option Verb::option(const std::string& name, std::function<void(const std::string&)> set,
                    const std::string& shown, const std::string& about) {
  return Option(app_->add_option_function<std::string>(name, std::move(set), about)
                    ->default_str(shown)
                    ->group(heading_));
}

Option Verb::flag(const std::string& name, bool& value, const std::string& about) {
  return Option(app_->add_flag(name, value, about)->group(heading_));
}
bool Verb::give(const std::string& name, const std::string& value) {
  CLI::Option* option = app_->get_option(name);
  if (option->count() > 0) return false;
  option->add_result(value);
  option->run_callback();
  return true;
}
void Verb::hide_help() { app_->get_help_ptr()->group(""); }
void Verb::footer(const std::string& text) { app_->footer(text); }
void Verb::does(std::function<void()> action) { app_->callback(std::move(action)); }

Program::Program(const std::string& name, const std::string& about,
                 const std::function<std::string()>& version)
    : Program(std::make_unique<CLI::App>(about, name)) {
  owned_->formatter(std::make_shared<Formatter>());
  owned_->set_version_flag("--version", version);
}
Program::Program(std::unique_ptr<CLI::App> app) : Verb(app.get()), owned_(std::move(app)) {}
Program::~Program() = default;

void Program::run(std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them last first
  try {
    owned_->parse(std::move(arguments));
  } catch (const CLI::Success& asked) {  // --help, --version
    owned_->exit(asked);
  } catch (const CLI::ParseError& error) {
    const std::string unknown = unexpected(*owned_);
    fail("{}. `gradus --help` and `gradus VERB --help` say what there is.",
         unknown.empty() ? error.what() : unknown);
  }
}

}  // namespace gradus::cli
