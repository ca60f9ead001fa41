// A model as a folder. Written are Hugging Face folders: config.json, model.safetensors, vocab.txt,
// tokenizer.json, tokenizer_config.json, special_tokens_map.json, which open in `transformers` as
// they are; the folder changes at once (base/folder.h), and files of another form of a model that
// were in it are gone. Read is what `transformers` writes and wrote, and
// Google's checkpoints with bert_config.json and vocab.txt; weights.h says where the weights may
// lie.
#pragma once

#include <filesystem>

#include "gradus/io/safetensors.h"
#include "gradus/models/bert_config.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

class Weights;

// Tied parameters are written once, ranges of a leaf as tensors of their own. An Error where the
// vocabulary has more tokens than the model. config.json says how the numbers are stored, and
// `transformers` loads them so.
void save_model_folder(const std::filesystem::path& folder, const BertConfig& config,
                       const std::vector<Parameter>& parameters, const Tokenizer& tokenizer,
                       StoredAs stored = StoredAs::f32);

// The parts of that, for who has tensors and no model.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;
void save_model_folder(const std::filesystem::path& folder, const BertConfig& config,
                       const NamedTensors& tensors, const Tokenizer& tokenizer,
                       StoredAs stored = StoredAs::f32);

// Whether a file of this name belongs to a model, in any form that is read or written here.
bool is_model_file(const std::string& name);

// All of that but the weights, into a folder that is there.
void save_folder_settings(const std::filesystem::path& folder, const BertConfig& config,
                          const Tokenizer& tokenizer);

// From config.json, or where there is none from Google's bert_config.json, whose "gelu" is the tanh
// form and is read as "gelu_new". `model` is here and below a folder or the prefix of a TensorFlow
// checkpoint.
BertConfig load_config(const std::filesystem::path& model);
// An Error where the model would be larger than the weights that stand there can be, before any
// memory is taken for it: a configuration that claims a billion layers is only a text. load_config
// has called it.
void require_weights_for(const BertConfig& config, const std::filesystem::path& model);
// that it was read so; empty where it was not
std::string note_on_config(const std::filesystem::path& model);

// From vocab.txt or tokenizer.json. Whether it lower-cases is do_lower_case of
// tokenizer_config.json; where that is silent, the normalizer of tokenizer.json; without both, yes
// (`transformers` 5 lower-cases in the second case too, whatever tokenizer.json says).
Tokenizer load_tokenizer(const std::filesystem::path& model);

// What loading did: parameters found, parameters that are new (of a head, which is to be trained;
// they keep their values), tensors of the file that nobody wanted.
struct LoadReport {
  std::string origin;  // the model that was read
  std::vector<std::string> loaded, fresh, unused, notes;
  std::string to_text() const;
  // For whoever predicts: an Error that names a new parameter and the head, unless the name matches
  // one of the patterns (of Parts::matches) that this prediction does not need. Example:
  // require_trained("masked-language-model head", {"cls.seq_relationship*", "bert.pooler*"}).
  void require_trained(const std::string& head,
                       const std::vector<std::string>& not_needed = {}) const;
};

// A checkpoint whose body (embeddings and encoder) lacks parameters of the model is an Error that
// names them, unless they may be missing.
enum class Body { whole, partial };

// Fills the parameters from the model's weights. Names are taken with or without the prefix `bert.`
// or `model.`, LayerNorm.gamma and .beta as weight and bias, Google's variables as what they
// became; position_ids buffers are passed over; a tied parameter may have either of its names, or
// both with the same values. A wrong shape is an Error that names both. Every name, shape and dtype
// is checked before the first parameter is written.
LoadReport load_parameters(const std::filesystem::path& model,
                           const std::vector<Parameter>& parameters, Body body = Body::whole);
LoadReport load_parameters(const Weights& weights, const std::string& origin,
                           const std::vector<Parameter>& parameters, Body body);

}  // namespace gradus
