// The umbrella: what a program needs that makes tensors, differentiates, builds layers, trains
// them, and uses BERT on text. `#include "gradus/gradus.h"`, `using namespace gradus;`.
//
// By its side, so that their names (Task, Example, …) stay yours: gradus/train/pretrain.h and
// gradus/train/finetune.h, the program's two ways to train; gradus/data/ for corpora and tables;
// gradus/tasks/ for labelled files and scores; gradus/story/ for the story world;
// gradus/ops/table.h for the ops that Gradus ships, with their samples; gradus/kernels/gemm.h for
// matrix products on bare memory.
#pragma once

#include "gradus/autograd/engine.h"
#include "gradus/autograd/gradcheck.h"
#include "gradus/autograd/graph.h"
#include "gradus/autograd/memory.h"
#include "gradus/autograd/modes.h"
#include "gradus/autograd/node.h"
#include "gradus/autograd/observer.h"
#include "gradus/autograd/random.h"
#include "gradus/autograd/tensor.h"
#include "gradus/autograd/transform.h"
#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/io/layer_file.h"
#include "gradus/io/model_folder.h"
#include "gradus/io/npy.h"
#include "gradus/io/optimizer_file.h"
#include "gradus/io/safetensors.h"
#include "gradus/io/weights.h"
#include "gradus/models/bert.h"
#include "gradus/models/embedding.h"
#include "gradus/models/fill_mask.h"
#include "gradus/models/heads.h"
#include "gradus/nn/audit.h"
#include "gradus/nn/gradcheck.h"
#include "gradus/nn/initialize.h"
#include "gradus/nn/layers.h"
#include "gradus/nn/lora.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/parts.h"
#include "gradus/nn/transformer.h"
#include "gradus/ops/check_op.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/op_info.h"
#include "gradus/ops/ops.h"
#include "gradus/ops/ragged.h"
#include "gradus/optim/optimizer.h"
#include "gradus/optim/optimizers.h"
#include "gradus/optim/schedule.h"
#include "gradus/text/tokenizer.h"
#include "gradus/text/vocabulary.h"
#include "gradus/text/word_counter.h"
#include "gradus/text/wordpiece_trainer.h"
#include "gradus/version.h"
