// GLUE (Wang et al. 2018): how the files of its tasks are laid out, what their labels are called
// and what is measured.
//
// Layouts are those of the archives at gluebenchmark.com. Names and order of the labels are the
// benchmark's own as the `datasets` package has them: a model's id 0 is then the label that other
// tools expect. (Google's run_classifier.py has contradiction, entailment, neutral for MNLI: a
// model trained with it carries another table, and is read by name.)
#pragma once

#include "gradus/tasks/labels.h"

namespace gradus {

// F1 is that of the label with id 1
enum class GlueMetrics { accuracy, accuracy_f1, matthews, correlation };

struct GlueTask {
  std::string name;  // as --task takes it
  TextColumns columns;
  // the columns of train and dev where they have no header (CoLA's)
  std::vector<std::string> headerless;
  std::vector<std::string> labels;  // in the order of their ids; none for regression
  // what the files write for them, in the same order; none: the names
  std::vector<std::string> codes;
  GlueMetrics metrics = GlueMetrics::accuracy;
  // file names; MNLI has two, matched and mismatched. The training file is train.tsv
  std::vector<std::string> dev, test;
  bool skip_ragged = false;  // known to have broken rows, which readers leave out

  bool regression() const { return labels.empty(); }
  LabelTable table() const { return LabelTable(labels); }
};

const std::vector<GlueTask>& glue_tasks();
const GlueTask& glue_task(const std::string& name);  // an unknown name is an Error that lists them

// How to read a file of the task. Test files have no labels, and CoLA's has a header.
TextOptions glue_options(const GlueTask& task, bool test = false);

}  // namespace gradus
