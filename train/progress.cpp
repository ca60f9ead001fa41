#include "gradus/train/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "gradus/autograd/observer.h"

namespace gradus {

void StageProgress::at(const std::string& stage, double done, double total,
                       const std::string& unit) {
  if (!progress_ || stage != stage_)
    progress_ = std::make_unique<Progress>(stage_ = stage, total, unit, done);
  progress_->at(done);
}

std::string format_duration(double seconds) {
  const int64_t s = std::llround(seconds);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

Progress::Progress(std::string what, double total, std::string unit, double from)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      from_(from),
      start_(seconds_now()),
      terminal_(::isatty(STDOUT_FILENO) == 1) {}

namespace {
// What is shown may be lost (a reader that went away, a full disk), the work that it is of goes on.
void show(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}
}  // namespace

Progress::~Progress() {
  if (open_) show("\n");
}

void Progress::at(double done, const std::string& note) {
  const double now = seconds_now();
  if (now - drawn_ < (terminal_ ? 0.2 : 10)) return;
  drawn_ = now;
  draw(done, note, false);
}

void Progress::line(const std::string& text) {
  show(fmt::format("{}{}\n", open_ ? "\r\033[K" : "", text));
  open_ = false;
}

void Progress::finish(double done, const std::string& note) { draw(done, note, true); }

void Progress::draw(double done, const std::string& note, bool last) {
  const double elapsed = seconds_now() - start_,
               share = total_ > 0 ? std::clamp(done / total_, 0.0, 1.0) : 0;
  std::string text = fmt::format("{:<9}", what_);
  if (terminal_ && total_ > 0) {
    constexpr int width = 24;
    const int full = static_cast<int>(share * width);
    for (int i = 0; i < width; ++i) text += i < full ? "█" : "░";
    text += ' ';
  }
  text += total_ > 0 ? fmt::format("{:>3.0f} %  {:.0f}/{:.0f} {}", 100 * share, done, total_, unit_)
                     : fmt::format("{:.0f} {}", done, unit_);
  const double now_done = done - from_;
  if (elapsed > 0.5 && now_done > 0 && unit_ != "s")
    text += fmt::format("  {:.3g} {}/s", now_done / elapsed, unit_);
  if (!note.empty()) text += "  " + note;
  if (last) text += "  in " + format_duration(elapsed);
  else if (total_ > 0 && now_done > 0 && elapsed > 1)
    text += fmt::format("  {} left", format_duration(elapsed / now_done * (total_ - done)));
  show(fmt::format("{}{}{}", terminal_ ? "\r\033[K" : "", text, terminal_ && !last ? "" : "\n"));
  open_ = terminal_ && !last;
}

}  // namespace gradus
