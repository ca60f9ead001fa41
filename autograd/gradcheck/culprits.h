// Culprits: which op's backward is wrong? Each op that ran backward is differentiated by itself:
// its own forward by differences, for the inputs and the dy that it had, beside what it returned.
#pragma once

#include "gradus/autograd/gradcheck/check.h"
#include "gradus/autograd/gradcheck/diagnosis.h"

namespace gradus {

struct Culprit {
  std::string op;     // and its module's path
  std::string input;  // "input 1", or its name where it is a leaf that has one
  Tensor leaf;        // the variable that this input is, if it is one
  int64_t wrong;      // entries
  std::string likeliest;
};

// Runs f and its gradient once more, and looks at each op of it; the first few that are wrong, from
// the output backwards.
std::vector<Culprit> find_culprits(Check& check, const Function& f, const Tensors& us);

}  // namespace gradus
