// Learning from a larger model (Hinton et al. 2015; Sanh et al. 2019; Jiao et al. 2020): beside its
// own loss a student is held to what a teacher says of the same batch,
//
//   loss = own + weight * logits + hidden * states
//
//   logits  pretraining: T^2 KL(softmax(teacher / T) || softmax(student / T)), the mean over the
//           predicted tokens; fine-tuning: the mean squared difference (Ba and Caruana 2014), which
//           suits every head, a regression's too
//   states  the mean squared difference of hidden states, embeddings and layers: layer i of n is
//           compared with layer round(i N / n) of the teacher's N. Where the widths differ, a
//           linear map that is learned beside the student stands between them; it is in the
//           checkpoints and not in the model.
//
// Teacher and student must read a text alike (the same vocabulary and rules) and answer the same
// (labels). The teacher runs without dropout and learns nothing.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "gradus/models/heads.h"
#include "gradus/text/tokenizer.h"
#include "gradus/train/loop.h"

namespace gradus {

struct DistillationOptions {
  std::filesystem::path teacher;  // a model folder; none: nothing is distilled
  double weight = 1, hidden = 0;
  double temperature = 2;  // of pretraining's logits
};

// An Error that names what is out of its range.
void check_distillation(const DistillationOptions& options);

class Teacher {
 public:
  virtual ~Teacher();

  // The parameters of the map between widths; none where there is none.
  ParameterList learned();
  std::string describe() const;  // for people
  void add_settings(nlohmann::ordered_json& settings) const;
  bool compares_states() const { return options_.hidden > 0; }

 protected:
  // An Error where they do not read alike.
  Teacher(const DistillationOptions& options, BertModel body, const Tokenizer& tokenizer,
          const BertConfig& student, uint64_t seed);
  // hidden * states, divided by `tokens`; undefined where they are not compared.
  Tensor states_loss(const Tensors& student, const Tensors& own, double tokens) const;

  DistillationOptions options_;
  BertModel body_;

 private:
  std::string hash_;
  std::unique_ptr<Linear> map_;
};

// For masked language models.
class MaskedLMTeacher : public Teacher {
 public:
  MaskedLMTeacher(const DistillationOptions& options, const Tokenizer& tokenizer,
                  const BertConfig& student, uint64_t seed);
  // hidden_states: the student's, of BertForPreTraining::loss. The denominators are the whole
  // batch's predicted tokens, and its tokens.
  Tensor loss(const BertForPreTraining& student, const BertInput& input,
              const Tensors& hidden_states, const PretrainingTargets& targets, double tokens,
              Means& means) const;

 private:
  MaskedLMTeacher(const DistillationOptions& options, const Tokenizer& tokenizer,
                  const BertConfig& student, uint64_t seed, BertForMaskedLM model);
  BertForMaskedLM model_;
};

// For a task's head: a fine-tuned folder of the same head and labels.
class TaskTeacher : public Teacher {
 public:
  TaskTeacher(const DistillationOptions& options, const Tokenizer& tokenizer,
              const BertConfig& student, uint64_t seed);
  // rows: of logits, and tokens: of the whole batch.
  Tensor loss(const Tensor& student_logits, const BertInput& input, const Tensors& hidden_states,
              double rows, double tokens, Means& means) const;

 private:
  TaskTeacher(const DistillationOptions& options, const Tokenizer& tokenizer,
              const BertConfig& student, uint64_t seed, BertForTask model);
  BertForTask model_;
};

}  // namespace gradus
