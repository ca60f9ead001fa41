// Progress of long work: on a terminal one line that is rewritten, elsewhere plain lines now and
// then. Shows done, total, rate and the time left.
#pragma once

#include <memory>
#include <string>

namespace gradus {

class Progress {
 public:
  // `unit` is what is counted: "steps", "MB"; "s" is the clock itself, which has no rate. total 0:
  // unknown. from: what was done before, which says nothing of the rate.
  Progress(std::string what, double total, std::string unit, double from = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void at(double done,
          // cheap: draws at most every 0.2 s on a terminal, every 10 s elsewhere (and the first
          // time)
          const std::string& note = "");
  void line(const std::string& text);                      // a line that stays, above the bar
  void finish(double done, const std::string& note = "");  // the last line stays

 private:
  void draw(double done, const std::string& note, bool last);
  std::string what_, unit_;
  double total_, from_, start_, drawn_ = -1e9;
  bool terminal_, open_ = false;
};

// Progress of work that goes through stages, a line for each: what calls back with the name of the
// stage and megabytes or a count.
class StageProgress {
 public:
  void at(const std::string& stage, double done, double total, const std::string& unit = "MB");
  void end() { progress_.reset(); }

 private:
  std::string stage_;
  std::unique_ptr<Progress> progress_;
};

std::string format_duration(double seconds);  // "42 s", "3 min 05 s", "2 h 07 min"

}  // namespace gradus
