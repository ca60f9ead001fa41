// The program `gradus`. Exit codes: 0 done, 1 the run failed, 2 wrong usage or input; every error is one line on stderr.
#include <exception>

#include "cli/cli.h"

int main(int argc, char** argv) {
  using namespace gradus;
  CLI::App app{"Gradus: train, use and look inside BERT on a CPU", "gradus"};
  app.require_subcommand(1);
  app.footer("Each verb has --help with an example. Start with: gradus demo");
  cli::add_demo(app);
  cli::add_vocab(app);
  cli::add_tokenize(app);
  cli::add_data(app);
  cli::add_pretrain(app);
  cli::add_fill_mask(app);
  cli::add_gradcheck(app);
  cli::add_bench(app);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "gradus: {}. `gradus --help` and `gradus VERB --help` say what there is.\n", error.what());
    return 2;
  } catch (const Error& error) {
    fmt::print(stderr, "gradus: {}\n", error.what());
    return error.exit_code;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gradus: {}\n", error.what());
    return 1;
  }
}
