#include "gradus/data/partial_corpus.h"

#include "gradus/base/error.h"
#include "gradus/base/json.h"
#include "gradus/text/reading_plan.h"

namespace gradus {
namespace fs = std::filesystem;

namespace {

nlohmann::ordered_json plan_of(const Tokenizer& tokenizer, const std::vector<CorpusInput>& files,
                               const CorpusOptions& o) {
  nlohmann::ordered_json plan;
  plan["tokenizer"] = fmt::format("{:016x}", tokenizer.fingerprint());
  plan["documents"] = o.documents ? name(*o.documents) : "";
  plan["document_start"] = o.document_start;
  plan["sentences"] = name(o.sentences);
  plan["text_column"] = o.text_column.value_or("");
  plan["replace_invalid"] = o.replace_invalid;
  plan["drop_duplicate_lines"] = o.drop_duplicate_lines;
  plan["files"] = nlohmann::ordered_json::array();
  for (const CorpusInput& file : files)
    if (is_readable_again(file.path)) {
      auto& entry = plan["files"].emplace_back(identity_of(file.path));
      entry.push_back(file.weight);
      entry.push_back(file.held_out);
    }
  return plan;
}

}  // namespace

int64_t PartialCorpus::Place::bytes_of_files_before() const {
  int64_t sum = 0;
  for (const CorpusSource& source : sources) sum += source.bytes;
  return sum;
}

PartialCorpus::PartialCorpus(const fs::path& out, const Tokenizer& tokenizer,
                             const std::vector<CorpusInput>& files, const CorpusOptions& options)
    : out_(out),
      folder_(out.string() + ".partial"),
      plan_(plan_of(tokenizer, files, options).dump()),
      options_(options) {
  for (const CorpusInput& file : files) readable_again_ &= is_readable_again(file.path);
  std::error_code error;
  const bool was_there = fs::exists(folder_, error);
  if (!was_there) fs::create_directory(folder_, error);
  check(fs::is_directory(folder_), "cannot write {}: cannot make the folder {}: {}", out.string(),
        folder_.string(), error ? error.message() : "it is a file");
  lock_.emplace(folder_);
  int64_t kept_lines = 0;
  if (was_there && go_on()) {
    kept_lines = at_.lines;
  } else {
    temporary_.emplace(folder_);
    fs::remove(folder_ / "note.json");
  }
  writer_ = std::make_unique<CorpusWriter>(out, tokenizer, folder_, written_);
  lines_ = std::make_unique<SeenLines>(folder_ / "lines", kept_lines);
}

PartialCorpus::~PartialCorpus() = default;

bool PartialCorpus::go_on() {
  const fs::path note = folder_ / "note.json";
  if (!fs::exists(note)) return false;
  check(options_.resume || options_.overwrite,
        "{}: a build was interrupted here; go on with it, with options.resume, or begin anew, with "
        "options.overwrite",
        folder_.string());
  if (!options_.resume) return false;
  check(readable_again_, "options.resume: standard input and pipes cannot be read a second time");
  const auto json = read_ordered_json(note);
  try {
    check_same_plan(json.at("plan"), parse_ordered_json(plan_), folder_);
    const auto& at = json.at("at");
    at_.file = at.at("file");
    at_.line = at.at("line");
    at_.lines = at.at("lines");
    at_.dropped_lines = at.at("dropped_lines");
    at_.json_lines[0] = at.at("json_lines").at(0);
    at_.json_lines[1] = at.at("json_lines").at(1);
    for (const auto& source : at.at("sources"))
      at_.sources.push_back({source.at(0), source.at(1), source.at(2), source.at(3)});
    written_ = {at.at("tokens"), at.at("sentences"), at.at("documents")};
  } catch (const nlohmann::json::exception& error) {
    fail("{}: it is damaged ({}); begin anew, with options.overwrite", note.string(), error.what());
  }
  return true;
}

void PartialCorpus::sync() {
  if (!readable_again_) return;
  writer_->sync();
  lines_->sync();
  written_ = writer_->place();
  at_.lines = lines_->size();
  nlohmann::ordered_json at{{"file", at_.file},
                            {"line", at_.line},
                            {"lines", at_.lines},
                            {"dropped_lines", at_.dropped_lines},
                            {"json_lines", {at_.json_lines[0], at_.json_lines[1]}},
                            {"sources", nlohmann::ordered_json::array()},
                            {"tokens", written_.tokens},
                            {"sentences", written_.sentences},
                            {"documents", written_.documents}};
  for (const CorpusSource& source : at_.sources)
    at["sources"].push_back({source.path, source.bytes, source.hash, source.weight});
  write_file(folder_ / "note.json",
             nlohmann::ordered_json{{"plan", parse_ordered_json(plan_)}, {"at", at}}.dump());
  if (temporary_) temporary_->keep();
  temporary_.reset();
}

CorpusInfo PartialCorpus::info() const {
  CorpusInfo info;
  info.files = at_.sources;
  info.lines = lines_->size();
  info.dropped_lines = at_.dropped_lines;
  if (options_.documents) info.documents = name(*options_.documents);
  else if (at_.json_lines[0] && at_.json_lines[1]) info.documents = "blank, record";
  else info.documents = name(at_.json_lines[1] ? Documents::record : Documents::blank);
  info.sentences = name(options_.sentences);
  info.seed = options_.seed;
  return info;
}

void PartialCorpus::finish(const CorpusInfo& info, const std::vector<bool>& dropped) {
  writer_->finish(info, dropped);
  discard();
}

void PartialCorpus::discard() {
  lock_.reset();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace gradus
