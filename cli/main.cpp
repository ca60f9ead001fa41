// The program `gradus`. Exit codes: 0 done, 1 the run failed, 2 wrong usage or input; every error
// is one line on stderr.
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <map>

#include "gradus/base/closest.h"
#include "gradus/cli/cli.h"

namespace {

// Google's and Hugging Face's spellings are accepted everywhere: --max_seq_length is
// --max-seq-length, and where the name itself differs, it is ours.
std::string our_spelling(std::string argument) {
  if (!argument.starts_with("--")) return argument;
  static const std::map<std::string, std::string> names = {
      {"--per-device-train-batch-size", "--batch-size"},
      {"--train-batch-size", "--batch-size"},
      {"--num-train-epochs", "--epochs"},
      {"--init-checkpoint", "--init"},
      {"--warmup-ratio", "--warmup-steps"},
      {"--warmup-proportion", "--warmup-steps"},
      {"--lr-scheduler-type", "--schedule"},
      {"--mlm-probability", "--masked-lm-prob"},
      {"--do-whole-word-mask", "--whole-word-mask"},
      {"--random-seed", "--seed"},
      {"--overwrite-output-dir", "--overwrite"},
      {"--output-dir", "--out"},
      {"--vocab-file", "--vocab"},
      {"--model-name-or-path", "--model"},
      {"--vocab-size", "--size"},
      {"--train-file", "--train"},
      {"--validation-file", "--validation"},
      {"--task-name", "--task"},
      {"--max-train-samples", "--max-train-examples"},
      {"--label-smoothing-factor", "--label-smoothing"},
      {"--early-stopping-patience", "--patience"},
      {"--max-answer-len", "--max-answer-length"}};
  const size_t end = std::min(argument.find('='), argument.size());
  std::string name = argument.substr(0, end);
  std::replace(name.begin(), name.end(), '_', '-');
  if (const auto known = names.find(name); known != names.end()) name = known->second;
  return name + argument.substr(end);
}

// CLI11's help with one empty line between groups, and room for long names, so that a verb's fits a
// screen.
struct Formatter : CLI::Formatter {
  Formatter() { column_width(34); }
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
    for (size_t at; (at = text.find("\n\n\n")) != std::string::npos;) text.erase(at, 1);
    return text;
  }
};

// CLI11 counts groups of options as subcommands without a name.
std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* known :
       app.get_subcommands([](const CLI::App* sub) { return !sub->get_name().empty(); }))
    names.push_back(known->get_name());
  return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* known : app.get_options())
    for (const std::string& name : known->get_lnames())
      if (name != "help") names.push_back("--" + name);
  for (const CLI::App* group :
       app.get_subcommands([](const CLI::App* sub) { return sub->get_name().empty(); }))
    for (std::string& name : options_of(*group)) names.push_back(std::move(name));
  return names;
}

// The verb that was asked for, as deep as it was named.
const CLI::App& asked(const CLI::App& app) {
  for (const CLI::App* chosen : app.get_subcommands())
    if (!chosen->get_name().empty()) return asked(*chosen);
  return app;
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
    return fmt::format("there is no verb {}{}", left[0], gradus::closest(left[0], verbs));
  }
  const std::string name = option->substr(0, option->find('='));
  if (!verbs.empty())
    return fmt::format("{} comes too early: one of {} is missing before it", name,
                       fmt::join(verbs, ", "));
  if (std::find(options.begin(), options.end(), name) != options.end())
    return fmt::format("{} belongs behind {}", name, verb.get_name());
  return fmt::format("there is no option {}{}", name, gradus::closest(name, options));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace gradus;
  std::vector<std::string> arguments;
  // CLI11 takes them last first
  for (int i = argc - 1; i > 0; --i) arguments.push_back(our_spelling(argv[i]));
  CLI::App app{"Gradus: train, use and look inside BERT on a CPU", "gradus"};
  app.formatter(std::make_shared<Formatter>());
  app.require_subcommand(1);
  app.footer("Each verb has --help with an example. Start with: gradus demo");
  cli::add_demo(app);
  cli::add_vocab(app);
  cli::add_tokenize(app);
  cli::add_data(app);
  cli::add_pretrain(app);
  cli::add_finetune(app);
  cli::add_eval(app);
  cli::add_predict(app);
  cli::add_fill_mask(app);
  cli::add_convert(app);
  cli::add_embed(app);
  cli::add_gradcheck(app);
  cli::add_bench(app);
  try {
    app.parse(std::move(arguments));
    return 0;
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    const std::string unknown = unexpected(app);
    fmt::print(stderr, "gradus: {}. `gradus --help` and `gradus VERB --help` say what there is.\n",
               unknown.empty() ? error.what() : unknown);
    return 2;
  } catch (const Error& error) {
    fmt::print(stderr, "gradus: {}\n", error.what());
    return error.exit_code;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gradus: {}\n", error.what());
    return 1;
  }
}
