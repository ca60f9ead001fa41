// Part: one line of check_op's report, and below it what is wrong.
#pragma once

#include "gradus/ops/check_op.h"

namespace gradus::op_check {

class Part {
 public:
  Part(const OpInfo& info, OpReport& report, std::string name);
  ~Part();  // writes the line
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  const OpInfo& info;

  // A comparison that was made, and came out right or not.
  template <class... Args>
  void expect(bool right, fmt::format_string<Args...> text, Args&&... args) {
    ++compared_;
    if (!right) wrong(fmt::format(text, std::forward<Args>(args)...));
  }
  void wrong(const std::string& text);
  void note(const std::string& text) { note_ = text; }  // behind the count
  // Runs body(); an Error that it throws is wrong, "what: its text".
  template <class F>
  void run(const std::string& what, F&& body) {
    try {
      body();
    } catch (const Error& error) { wrong(what + " throws: " + error.what()); }
  }
  // Calls body(sample) for every sample.
  template <class F>
  void each_sample(F&& body) {
    for (const Sample& sample : info.samples)
      run("sample '" + sample.note + "'", [&] { body(sample); });
  }

 private:
  OpReport& report_;
  std::string name_, note_;
  int64_t compared_ = 0;
  std::vector<std::string> wrong_;
};

// The parts, by their names.
void check_samples(Part& part);
void check_derivatives(Part& part);
void check_layouts(Part& part);
void check_dtypes(Part& part);
void check_sizes(Part& part);
void check_inputs(Part& part);
void check_fused(Part& part);
void check_leaves(Part& part);
void check_threads(Part& part);
void check_levels(Part& part);
void check_mutants(Part& part);
void check_errors(Part& part);

}  // namespace gradus::op_check
