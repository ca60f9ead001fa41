// All optimizers, and their names.
#pragma once

#include "gradus/optim/adafactor.h"
#include "gradus/optim/adamw.h"
#include "gradus/optim/lamb.h"
#include "gradus/optim/lion.h"
#include "gradus/optim/muon.h"
#include "gradus/optim/registry.h"
#include "gradus/optim/sgd.h"
