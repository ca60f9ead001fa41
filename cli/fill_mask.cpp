// gradus fill-mask: the words a pretrained model puts in place of [MASK].

#include <algorithm>
#include <cmath>

#include "gradus/base/json.h"
#include "gradus/cli/cli.h"
#include "gradus/cli/lines.h"
#include "gradus/io/model_folder.h"
#include "gradus/models/fill_mask.h"

namespace gradus::cli {
namespace {

struct FillMaskOptions {
  std::string model;
  std::vector<std::string> texts;
  int top_k = 5;
  bool json = false;
};

void show(const FillMaskOptions& o, const BertForMaskedLM& model, const Tokenizer& tokenizer,
          const std::string& text) {
  const std::vector<MaskAnswers> masks = fill_mask(model, tokenizer, text, o.top_k);
  if (!o.json) fmt::print("{}\n", text);
  for (size_t i = 0; i < masks.size(); ++i) {
    if (!o.json && masks.size() > 1) fmt::print("  [MASK] {}\n", i + 1);
    for (const auto& [token, probability] : masks[i]) {
      if (o.json)
        fmt::print("{}\n",
                   nlohmann::ordered_json{
                       {"text", text}, {"mask", i}, {"token_str", token}, {"score", probability}}
                       .dump());
      else
        fmt::print("  {:>6.1f} %  {:<20} {}\n", 100 * probability, token,
                   std::string(static_cast<size_t>(std::lround(40 * probability)), '#'));
    }
  }
}

}  // namespace

void add_fill_mask(Verb& program) {
  auto o = std::make_shared<FillMaskOptions>();
  Verb verb = program.verb("fill-mask", "what a pretrained model puts in place of [MASK]");
  verb.option("--model", o->model, "a model folder").required();
  verb.option("TEXT", o->texts, "texts with [MASK]; none or -: a line each from standard input");
  verb.option("--top-k", o->top_k, "answers a mask").positive();
  verb.flag("--json", o->json, "a JSON line an answer");
  verb.footer("Example: gradus fill-mask --model runs/tiny \"the capital of england is [MASK] .\"");
  verb.does([o] {
    const BertConfig config = load_config(o->model);
    const Tokenizer tokenizer = load_tokenizer(o->model);
    BertForMaskedLM model(config);
    load_parameters(o->model, parameters(model)).require_trained("masked-language-model head");
    if (!o->texts.empty() && o->texts[0] != "-") {
      for (const std::string& text : o->texts) show(*o, model, tokenizer, text);
      return;
    }
    for_each_input_line(
        "-",
        [&](std::string_view line, int64_t) {
          if (!line.empty()) show(*o, model, tokenizer, std::string(line));
        },
        [] { std::fflush(stdout); });
  });
}

}  // namespace gradus::cli
