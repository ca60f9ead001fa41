// What each GLUE task reports, as the `glue` metric and run_glue.py of the Hugging Face libraries
// do. combined_score is the mean, where there are two.
#pragma once

#include "gradus/tasks/text/glue.h"
#include "gradus/tasks/text/regression.h"

namespace gradus {

// accuracy; accuracy and f1 of the class with id 1; or matthews_correlation. Ids are the task's
// table's.
Metrics glue_metrics(const GlueTask& task, const std::vector<int32_t>& gold,
                     const std::vector<int32_t>& predicted);

// STS-B: pearson and spearmanr.
Metrics glue_metrics(const GlueTask& task, const std::vector<double>& gold,
                     const std::vector<double>& predicted);

}  // namespace gradus
