// The program `gradus`. Exit codes: 0 done, 1 the run failed, 2 wrong usage or input; every error
// is one line on stderr.
#include <fcntl.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>

#include "gradus/base/file.h"
#include "gradus/base/memory_limit.h"
#include "gradus/base/temporary.h"
#include "gradus/cli/cli.h"
#include "gradus/cli/lists.h"
#include "gradus/cli/message.h"
#include "gradus/cli/output.h"
#include "gradus/cli/spelling.h"
#include "gradus/cli/version.h"

namespace {

// Standard input, output and errors are open before any file is: else the first one that is opened
// would get the number of one that the caller closed (`>&-`), and what is printed.
void open_standard_streams() {
  for (int stream = 0; stream <= 2; ++stream)
    if (::fcntl(stream, F_GETFD) == -1 &&
        ::open("/dev/null", stream == 0 ? O_RDONLY : O_WRONLY) < 0)
      std::_Exit(2);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on files (ulimit -f) is an error of the write
}

// What libgomp would pass over with a remark, and what no machine has.
void check_environment() {
  const char* given = std::getenv("OMP_NUM_THREADS");
  if (!given) return;
  const std::string first = std::string(given).substr(0, std::string_view(given).find(','));
  int64_t threads = 0;
  if (!gradus::cli::parse(first, threads) || threads < 1 || threads > 1024)
    gradus::fail("OMP_NUM_THREADS={}: it is a number of threads, from 1 to 1024", given);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace gradus;
  open_standard_streams();
  remove_temporaries_on_signals();
  explain_cut_files();
  respect_container_memory();
  cli::Program program("gradus", "Gradus: train, use and look inside BERT on a CPU",
                       cli::version_text);
  program.footer("Each verb has --help with an example. Start with: gradus demo");
  cli::add_demo(program);
  cli::add_vocab(program);
  cli::add_tokenize(program);
  cli::add_data(program);
  cli::add_pretrain(program);
  cli::add_estimate(program);
  cli::add_finetune(program);
  cli::add_eval(program);
  cli::add_predict(program);
  cli::add_fill_mask(program);
  cli::add_convert(program);
  cli::add_embed(program);
  cli::add_gradcheck(program);
  cli::add_bench(program);
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) arguments.push_back(cli::our_spelling(argv[i]));
  try {
    check_environment();
    program.run(std::move(arguments));
    cli::check_standard_output();
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "gradus: {}\n", cli::one_line(cli::with_options(error.what())));
    return error.exit_code;
  } catch (const std::filesystem::filesystem_error& error) {
    fmt::print(stderr, "gradus: {}\n",
               cli::one_line(error.path1().string() + ": " + error.code().message()));
    // a name that leads nowhere is for who gave it to mend
    const std::error_code& code = error.code();
    return code == std::errc::too_many_symbolic_link_levels ||
                   code == std::errc::filename_too_long || code == std::errc::not_a_directory ||
                   code == std::errc::no_such_file_or_directory
               ? 2
               : 1;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr,
               "gradus: there is not enough memory for this; a smaller batch, shorter sequences or "
               "a smaller model need less\n");
    return 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gradus: {}\n", cli::one_line(error.what()));
    return 1;
  }
}
