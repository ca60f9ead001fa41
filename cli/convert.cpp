// gradus convert: from any form of a BERT's weights to a Hugging Face folder.
#include "gradus/io/convert.h"
#include "gradus/cli/cli.h"
#include "gradus/cli/spelling.h"

namespace gradus::cli {
namespace {

struct ConvertFlags {
  ConvertOptions options;
  std::string dtype = "f32", to = "today";
  bool cased = false, uncased = false, list = false;
};

// A line for what was done to so many tensors; after it a few of them, or all.
template <class Items, class F>
void show(const char* what, const Items& items, bool all, F&& text_of) {
  if (items.empty()) return;
  fmt::print("  {} {}{}\n", items.size(), what,
             all || items.size() <= 3 ? "" : " (--list names all), among them");
  for (size_t i = 0; i < items.size() && (all || i < 3); ++i)
    fmt::print("    {}\n", text_of(items[i]));
}

void run(ConvertFlags& flags) {
  ConvertOptions& o = flags.options;
  check(flags.dtype == "f32" || flags.dtype == "bf16", "--dtype {}: it is f32 or bf16",
        flags.dtype);
  check(flags.to == "today" || flags.to == "legacy", "--to {}: it is today or legacy", flags.to);
  check(!flags.cased || !flags.uncased, "--cased and --uncased: pass one of them");
  o.stored = flags.dtype == "bf16" ? StoredAs::bf16 : StoredAs::f32;
  o.legacy_names = flags.to == "legacy";
  if (flags.cased || flags.uncased) o.lower_case = flags.uncased;
  const ConvertReport report = convert_model(o);
  fmt::print("{} ({}) is now in {}: {}, {} tensors, {} numbers as {}, {}\n", o.model.string(),
             report.form, o.out.string(), report.architecture, report.tensors, report.numbers,
             flags.dtype, report.lower_case ? "uncased" : "cased");
  show("renamed", report.renamed, flags.list,
       [](const auto& names) { return names.first + " -> " + names.second; });
  show("transposed", report.transposed, flags.list, [](const auto& name) { return name; });
  show("dropped", report.dropped, flags.list,
       [](const auto& why) { return why.first + ": " + why.second; });
  for (const std::string& note : report.notes) fmt::print("  note: {}\n", with_options(note));
}

}  // namespace

void add_convert(Verb& program) {
  auto flags = std::make_shared<ConvertFlags>();
  ConvertOptions& o = flags->options;
  Verb verb = program.verb("convert", "any BERT checkpoint to a Hugging Face folder");
  verb.option("--model", o.model,
              "a folder with model.safetensors, pytorch_model.bin, their shards or a "
              "TensorFlow checkpoint; or that checkpoint's prefix")
      .required();
  verb.option("--out", o.out, "folder to write").required();
  verb.option("--dtype", flags->dtype, "f32 or bf16 (rounds, and halves the file)");
  verb.option("--to", flags->to, "today: LayerNorm.weight and bias; legacy: gamma and beta");
  verb.option("--vocab", o.vocab, "vocab.txt, where the model has none");
  verb.flag("--cased", flags->cased,
            "the model keeps capitals and accents; default: what its files say");
  verb.flag("--uncased", flags->uncased);
  verb.flag("--list", flags->list, "name every tensor that was renamed, transposed or dropped");
  verb.flag("--overwrite", o.overwrite, "write into a folder that is not empty");
  verb.footer(
      "Example: gradus convert --model uncased_L-2_H-128_A-2/bert_model.ckpt --out bert-tiny");
  verb.does([flags] { run(*flags); });
}

}  // namespace gradus::cli
