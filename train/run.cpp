#include "gradus/train/run.h"

#include <cmath>

#include "gradus/base/file.h"
#include "gradus/base/folder.h"
#include "gradus/base/range.h"
#include "gradus/io/model_folder.h"
#include "gradus/train/curve.h"
#include "gradus/train/not_finite.h"

namespace gradus {
namespace fs = std::filesystem;

using Json = nlohmann::ordered_json;

void check_loop_ranges(const TrainOptions& o) {
  check_count("options.data_parallel", o.data_parallel, 1);
  check_count("options.logging_steps", o.logging_steps, 1);
  check_count("options.eval_steps", o.eval_steps, 0);
  check_count("options.save_steps", o.save_steps, 0);
  check_count("options.save_total_limit", o.save_total_limit, 1);
  check_count("options.patience", o.patience, 0);
  check_count("options.skip_nonfinite", o.skip_nonfinite, 0);
  check_range("options.save_minutes", o.save_minutes, {.at_least = 0});
  check_range("options.max_minutes", o.max_minutes, {.at_least = 0});
  check_range("options.max_grad_norm", o.max_grad_norm, {.at_least = 0});
  check(!o.schedule_by_clock || o.max_minutes > 0,
        "a schedule by the clock needs options.max_minutes");
  check(!o.out.empty() || (!o.resume && o.resume_from.empty()),
        "options.resume needs options.out, the folder of the run");
}

namespace {
constexpr const char* not_better = "not-better";

// What `transformers` has no name for, of a trainer_state.json.
Json own_state(const Json& state) {
  const Json own = state.is_object() ? state.value("gradus", Json()) : Json();
  return own.is_object() ? own : Json::object();
}
}  // namespace

Run::Run(const RunSetup& setup)
    : RunSetup(setup), settings_(parse_ordered_json(o_.settings)), judged_on_(judged_on(o_)) {
  check_loop_ranges(o_);
  check_count("options.max_steps", schedule_.total, 1);
  if (!o_.out.empty()) open();
  last_checkpoint_seconds_ = now_.result.seconds;
  last_checkpoint_step_ = now_.result.steps;
  progress_.emplace(
      o_.name, o_.schedule_by_clock ? o_.max_minutes * 60 : static_cast<double>(schedule_.total),
      o_.schedule_by_clock ? "s" : "steps", position());
  say(o_.about);
  for (const std::string& line : said_) say(line);
}

void Run::open() {
  const bool goes_on = o_.resume || !o_.resume_from.empty();
  if (!goes_on && !o_.overwrite && fs::exists(o_.out / "run.json") &&
      find_checkpoint(o_.out, [](const std::string&) {}))
    fail(
        "{}: the folder holds a run that has not ended; it goes on with options.resume, and is "
        "written over with options.overwrite",
        o_.out.string());
  const bool a_run = fs::exists(o_.out / "run.json") || fs::exists(o_.out / ".gradus.lock");
  make_output_folder(o_.out, o_.overwrite || (goes_on && a_run));
  lock_.emplace(o_.out);
  recover_folder(o_.out);
  refuse_folders_for_files(o_.out, is_model_file);
  checkpoints_.emplace(o_.out, o_.save_total_limit);
  if (goes_on) {
    resume();
  } else {
    Checkpoints::prune(o_.out, 0);
    if (!o_.overwrite_better) replaced_ = replaced_model(o_.out, judged_on_);
    // what an earlier run says of itself; of the model, eval_results.json says it
    fs::remove(o_.out / "trainer_state.json");
    fs::remove_all(o_.out / not_better);
  }
  if (now_.result.ended_before) return note_not_better();
  if (!goes_on || !fs::exists(o_.out / "run.json")) write_settings();
  log_.emplace(o_.out, history_);
}

void Run::resume() {
  const auto note = [&](const std::string& line) { said_.push_back(line); };
  const fs::path from = o_.resume_from.empty() ? o_.out : o_.resume_from;
  if (from == o_.out && fs::exists(o_.out / "run.json")) {
    const Json run = read_ordered_json(o_.out / "run.json");
    require_same_settings(run, o_.out.string());
    replaced_ = replaced_model(run);
  }
  if (const fs::path end = from / "trainer_state.json";
      from == o_.out && fs::exists(end) && load_end(read_ordered_json(end)))
    return;
  const std::optional<Checkpoint> found = find_checkpoint(from, note);
  if (!found) {
    check(from == o_.out, "{}: there is no checkpoint in it", from.string());
    note(fmt::format("no checkpoint in {}: the run begins at step 0", from.string()));
    return;
  }
  require_same_settings(own_state(found->state).value("settings", Json::object()),
                        found->folder.string());
  load_checkpoint(*found, parameters_, optimizer_);
  restore(found->state);
  note(fmt::format("goes on from {}: step {} of {}", found->folder.string(), now_.result.steps,
                   schedule_.total));
}

// Whether the run has ended already: then only its result is taken.
bool Run::load_end(const Json& state) {
  if (own_state(state).value("ended", Json()) != true) return false;
  restore(state);
  now_.result.ended_before = true;
  said_.push_back(fmt::format("the run in {} has ended, after step {}: nothing is left to do",
                              o_.out.string(), now_.result.steps));
  return true;
}

void Run::require_same_settings(const Json& before, const std::string& where) const {
  check(before.is_object(), "{}: what it says of the run's settings is no JSON object", where);
  const auto shown = [](const Json& value) { return value.is_null() ? "not given" : value.dump(); };
  Json all = before;
  all.update(settings_);
  for (const auto& [name, value] : all.items()) {
    if (name == replaced_model_key ||
        std::find(o_.harmless.begin(), o_.harmless.end(), name) != o_.harmless.end())
      continue;
    const Json was = before.value(name, Json()), is = settings_.value(name, Json());
    if (was != is)
      fail(
          "{}: the run began with {} {}, and it is {} now; a run goes on with what it began with, "
          "or begins anew in another folder",
          where, name, shown(was), shown(is));
  }
}

bool Run::at_its_end() const {
  return (!o_.schedule_by_clock && now_.result.steps >= schedule_.total) ||
         (o_.max_minutes > 0 && now_.result.seconds >= o_.max_minutes * 60);
}

double Run::position() const {
  return o_.schedule_by_clock ? now_.result.seconds : static_cast<double>(now_.result.steps);
}

void Run::say(const std::string& lines) {
  for (size_t begin = 0; !o_.quiet && begin < lines.size();) {
    const size_t end = std::min(lines.find('\n', begin), lines.size());
    progress_->line(lines.substr(begin, end - begin));
    begin = end + 1;
  }
}

void Run::show(const std::string& note) {
  if (o_.quiet) return;
  if (at_its_end()) progress_->finish(position(), note);
  else progress_->at(position(), note);
}

void Run::guard(const std::function<void()>& writes) {
  if (o_.out.empty()) return;
  try {
    writes();
    lock_->touch();
  } catch (const Error& error) {
    if (o_.on_save_error == TrainOptions::OnSaveError::go_on) {
      say(fmt::format("step {:>6}  {}; the run goes on", now_.result.steps, error.what()));
      return;
    }
    const fs::path newest = checkpoints_->newest();
    fail_run("{}. {}", error.what(),
             newest.empty() ? "No checkpoint had been written"
                            : fmt::format("{} is whole: the run goes on from there with "
                                          "options.resume",
                                          newest.string()));
  }
}

void Run::write(const Json& line) {
  guard([&] {
    log_->write(line);
    bool judged = false;
    for (const auto& [name, value] : line.items()) judged |= name.starts_with("eval_");
    if (judged) write_file(o_.out / "curve.html", curve_page(log_->history(), o_.name));
  });
}

void Run::write_settings() const {
  Json run = settings_;
  if (replaced_) run[replaced_model_key] = as_json(*replaced_);
  write_file(o_.out / "run.json", run.dump(2) + "\n");
}

bool Run::begins_unjudged() const {
  return o_.begins_with_out && !o_.overwrite_better && !replaced_ && now_.result.steps == 0 &&
         now_.parts_done == 0;
}

void Run::begin_with(const Judgement& judged) {
  say("at the beginning  " + judged.text);
  replaced_ = replaced_model(judged);
  guard([&] { write_settings(); });
}

void Run::save(const std::optional<Judgement>& judged) {
  const bool worse = replaced_ && (!judged || is_worse(*judged, *replaced_));
  const fs::path folder = worse ? o_.out / not_better : o_.out;
  guard([&] {
    if (worse && !fs::exists(folder))
      say(
          fmt::format("step {:>6}  {}: the model in {} had {} {:.4g} and stays; this one goes into "
                      "{}",
                      now_.result.steps, judged ? "worse" : "not judged", o_.out.string(),
                      replaced_->metric, replaced_->value, folder.string()));
    checkpoints_->finish();  // which knows its folder by name
    const fs::path results = folder / "eval_results.json";
    fs::remove(results);  // of the model that goes
    objective_.save(folder, now_.result);
    if (!worse) fs::remove_all(o_.out / not_better);
    if (!now_.evaluation_line.is_null())
      write_file(results, evaluation_file(now_.evaluation_line, judged_on_).dump(2) + "\n");
    write_file(o_.out / "trainer_state.json", state().dump(2) + "\n");
  });
}

bool Run::checkpoint_is_due() const {
  const TrainResult& result = now_.result;
  if (result.steps == last_checkpoint_step_) return false;
  if (o_.save_steps > 0 && result.steps % o_.save_steps == 0) return true;
  return o_.save_minutes > 0 && result.seconds - last_checkpoint_seconds_ >= o_.save_minutes * 60;
}

void Run::checkpoint() {
  guard([&] {
    checkpoints_->write(now_.result.steps, parameters_, optimizer_, state(),
                        [&](const fs::path& folder) { objective_.save_beside(folder); });
  });
  last_checkpoint_seconds_ = now_.result.seconds;
  last_checkpoint_step_ = now_.result.steps;
}

void Run::not_finite(const Batch& batch, const NotFinite& error) {
  optimizer_.clear_gradients();
  const std::string found = first_not_finite(batch, objective_, o_.seed, now_.result.steps);
  optimizer_.clear_gradients();
  std::string text = fmt::format("{} {}", error.what(), found);
  if (batch.describe && !o_.out.empty()) {
    const fs::path saved = o_.out / fmt::format("not-finite-{}.json", now_.result.steps + 1);
    guard([&] { write_file(saved, batch.describe()); });
    text += fmt::format(" The batch is in {}.", saved.string());
  }
  if (++now_.result.skipped <= o_.skip_nonfinite) {
    say(fmt::format("step {:>6}  left out ({} of at most {}): {}", now_.result.steps + 1,
                    now_.result.skipped, o_.skip_nonfinite, text));
    return;
  }
  if (checkpoints_) guard([&] { checkpoints_->finish(); });
  throw NotFinite(text);
}

void Run::end() {
  if (o_.out.empty()) return;
  end_folder();
  note_not_better();
}

void Run::note_not_better() {
  if (fs::exists(o_.out / not_better)) now_.result.not_better = o_.out / not_better;
}

void Run::end_folder() {
  if (!now_.result.complete) {
    checkpoint();
    guard([&] { checkpoints_->finish(); });
    // who stops a run does not wait for an evaluation
    if (now_.result.best_step == 0 && now_.parts_done == 0) save({});
    return;
  }
  guard([&] {
    checkpoints_->finish();
    write_file(o_.out / "trainer_state.json", state().dump(2) + "\n");
    Checkpoints::prune(o_.out, o_.save_steps == 0 ? 0 : o_.save_total_limit);
  });
}

}  // namespace gradus
