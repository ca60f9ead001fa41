// The program `gradus`. Exit codes: 0 done, 1 the run failed, 2 wrong usage or input; every error is one line on stderr.
#include <algorithm>
#include <exception>
#include <map>

#include "cli/cli.h"
#include "cli/closest.h"

namespace {

// Google's and Hugging Face's spellings are accepted everywhere: --max_seq_length is --max-seq-length, and where the name itself differs, it is ours.
std::string our_spelling(std::string argument) {
  if (!argument.starts_with("--")) return argument;
  static const std::map<std::string, std::string> names = {{"--per-device-train-batch-size", "--batch-size"},
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

// CLI11's help with one empty line between groups, and room for long names, so that a verb's fits a screen.
struct Formatter : CLI::Formatter {
  Formatter() { column_width(34); }
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
    for (size_t at; (at = text.find("\n\n\n")) != std::string::npos;) text.erase(at, 1);
    return text;
  }
};

// What to say of an argument that is neither a verb nor an option of the verb.
std::string unexpected(const CLI::App& app) {
  const CLI::App* verb = &app;
  while (!verb->get_subcommands().empty()) verb = verb->get_subcommands()[0];
  const auto left = app.remaining(true);
  const auto option = std::find_if(left.begin(), left.end(), [](const std::string& argument) { return argument.starts_with("--"); });
  const std::string unknown = option == left.end() ? left.at(0) : option->substr(0, option->find('='));
  std::vector<std::string> names;
  if (option == left.end())
    for (const CLI::App* known : verb->get_subcommands([](const CLI::App*) { return true; })) names.push_back(known->get_name());
  else
    for (const CLI::Option* known : verb->get_options())
      for (const std::string& name : known->get_lnames()) names.push_back("--" + name);
  if (names.empty()) return fmt::format("'{}' is not expected here.", unknown);
  return fmt::format("there is no {} {}; the closest is {}.", option == left.end() ? "verb" : "option", unknown,
                     gradus::cli::closest(unknown, names, 1).at(0));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace gradus;
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) arguments.push_back(our_spelling(argv[i]));  // CLI11 takes them last first
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
  } catch (const CLI::CallForHelp& help) { return app.exit(help); } catch (const CLI::ParseError& error) {
    const bool unknown = !app.remaining(true).empty();
    fmt::print(stderr, "gradus: {} `gradus --help` and `gradus VERB --help` say what there is.\n",
               unknown ? unexpected(app) : fmt::format("{}.", error.what()));
    return 2;
  } catch (const Error& error) {
    fmt::print(stderr, "gradus: {}\n", error.what());
    return error.exit_code;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gradus: {}\n", error.what());
    return 1;
  }
}
