// cli/: the program `gradus`, one file a verb. A verb's file defines one add_VERB(program): it adds
// the verb, its options, an example, and an action that does the work and throws Error; main.cpp
// turns an Error into one line on stderr and its exit code.
#pragma once

#include "gradus/base/error.h"
#include "gradus/cli/verb.h"

namespace gradus::cli {

// After a run that a signal stopped: an Error that says after what, with exit code 128 + signal.
// 0: nothing.
void end_if_stopped(int signal, const std::string& after);

void add_bench(Verb& program);
void add_convert(Verb& program);
void add_data(Verb& program);
void add_demo(Verb& program);
void add_embed(Verb& program);
void add_eval(Verb& program);
void add_fill_mask(Verb& program);
void add_finetune(Verb& program);
void add_gradcheck(Verb& program);
void add_predict(Verb& program);
void add_estimate(Verb& program);
void add_pretrain(Verb& program);
void add_tokenize(Verb& program);
void add_vocab(Verb& program);

}  // namespace gradus::cli
