// cli/: the program `gradus`, one file a verb. A verb's file defines one add_VERB(app): it adds the
// subcommand, its options, an example in the footer, and a callback that does the work and throws
// Error; main.cpp turns an Error into one line on stderr and its exit code.
#pragma once

#include <CLI/CLI.hpp>

#include "gradus/base/error.h"

namespace gradus::cli {

void add_bench(CLI::App& app);
void add_convert(CLI::App& app);
void add_data(CLI::App& app);
void add_demo(CLI::App& app);
void add_embed(CLI::App& app);
void add_eval(CLI::App& app);
void add_fill_mask(CLI::App& app);
void add_finetune(CLI::App& app);
void add_gradcheck(CLI::App& app);
void add_predict(CLI::App& app);
void add_pretrain(CLI::App& app);
void add_tokenize(CLI::App& app);
void add_vocab(CLI::App& app);

}  // namespace gradus::cli
