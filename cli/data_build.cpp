// gradus data build: text to a training corpus.
#include <memory>

#include "gradus/base/error.h"
#include "gradus/cli/data_verbs.h"
#include "gradus/cli/lists.h"
#include "gradus/data/corpus_builder.h"
#include "gradus/data/corpus_file.h"
#include "gradus/train/progress.h"

namespace gradus::cli {
namespace {

struct BuildArguments {
  CorpusOptions options;
  std::string vocabulary, out, documents, sentences = "split", mode = "hf", weights;
  bool cased = false;
};

std::optional<Documents> documents_named(const BuildArguments& a) {
  if (!a.options.document_start.empty()) return Documents::pattern;
  if (a.documents.empty()) return {};
  if (a.documents == "file") return Documents::file;
  return a.documents == "record" ? Documents::record : Documents::blank;
}

void build(BuildArguments& a) {
  a.options.documents = documents_named(a);
  a.options.sentences = a.sentences == "line" ? Sentences::line : Sentences::split;
  if (!a.weights.empty())
    for (const std::string& part : split(a.weights, ',')) {
      double& weight = a.options.weights.emplace_back();
      check(parse(part, weight), "--weights {}: they are numbers, as 2,0.5", a.weights);
    }
  const Tokenizer tokenizer(
      Vocabulary::load(a.vocabulary),
      {.lower_case = !a.cased,
       .mode = a.mode == "google" ? TokenizerMode::google : TokenizerMode::hf});
  StageProgress progress;
  a.options.progress = [&](const char* stage, int64_t done, int64_t total) {
    progress.at(stage, static_cast<double>(done) / 1e6, static_cast<double>(total) / 1e6);
  };
  build_corpus(a.out, tokenizer, a.options);
  progress.end();
  print_statistics(CorpusFile::open(a.out));
}

}  // namespace

void add_build(Verb& data) {
  Verb verb =
      data.verb("build", "Turn text into one corpus file of token ids, with held-out documents");
  auto a = std::make_shared<BuildArguments>();
  verb.option("--corpus", a->options.corpus,
              "text or JSON lines, also .gz or .zst; folders, 'globs', -")
      .required();
  verb.option("--vocab", a->vocabulary, "vocab.txt (make one with `gradus vocab`)").required();
  verb.option("--out", a->out, "the corpus file to write, C.gds").required();
  verb.flag("--overwrite", a->options.overwrite, "replace an existing --out");
  verb.flag("--resume", a->options.resume, "go on where the same command was interrupted");
  verb.heading("What is in it");
  verb.option("--text-column", a->options.text_column, "of JSON lines (text)");
  verb.option("--weights", a->weights,
              "one for each of --corpus: how often an epoch sees it, as 2,0.5");
  const Option validation = verb.option("--validation", a->options.validation,
                                        "text to hold out; may be part of --corpus");
  verb.option("--validation-fraction", a->options.validation_fraction,
              "hold out this share of the documents, by seed")
      .excludes(validation);
  verb.option("--seed", a->options.seed, "chooses the held-out documents");
  verb.option("--drop-duplicate-lines", a->options.drop_duplicate_lines,
              "leave out lines of at least so many bytes that were there before; reads twice");
  verb.option("--drop-near-duplicates", a->options.drop_near_duplicates,
              "leave out documents so similar to an earlier one, as 0.8");
  verb.flag("--replace-invalid", a->options.replace_invalid, "read invalid UTF-8 as U+FFFD");
  verb.heading("How it is cut");
  const Option documents =
      verb.option("--documents", a->documents,
                  "what ends one: blank (a blank line), file, record (a line, a JSON object); "
                  "default blank, of JSON lines record")
          .one_of({"blank", "file", "record"});
  verb.option("--document-start", a->options.document_start,
              "a line that matches (as grep -E) begins one, as '^CHAPTER '")
      .excludes(documents);
  verb.option("--sentences", a->sentences,
              "split: cut paragraphs into sentences; line: each line is one")
      .one_of({"split", "line"});
  verb.flag("--cased", a->cased, "keep case and accents");
  verb.option("--mode", a->mode, "tokenizer rules").one_of({"hf", "google"});
  verb.footer(
      "Example:\n  gradus data build --corpus novels/ --documents file --validation "
      "novels/Doyle_Hound_1902.txt --vocab vocab.txt --out "
      "novels.gds");
  verb.does([a] { build(*a); });
}

}  // namespace gradus::cli
