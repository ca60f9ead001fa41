// BERT in Gradus against BERT in PyTorch: the fixtures' case.json and plan.json say which versions
// made them.
#include "tests/parity/parity.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

static const std::filesystem::path fixtures =
    std::filesystem::path(GRADUS_SOURCE_ROOT) / "tests" / "fixtures";

TEST_CASE(
    "every head class, of BERT and of ModernBERT, gives transformers' logits, losses, hidden "
    "states, attention and gradients, "
    "in f32 and f64, with both GELUs") {
  int cases = 0;
  for (const auto& folder : std::filesystem::directory_iterator(fixtures / "heads"))
    for (const char* hidden_act : {"gelu", "gelu_new"})
      for (const DType dtype : {DType::f32, DType::f64}) {
        const std::string name = folder.path().filename().string() + " " + hidden_act + " " +
                                 std::string(to_string(dtype));
        for (const Distance& d : compare_head(folder.path(), hidden_act, dtype))
          CHECK_MESSAGE(d.fine(), name, ": ", d.quantity, " differ by ", d.value, ", allowed are ",
                        d.allowed);
        ++cases;
      }
  CHECK(cases == (9 + 5) * 4);
}

TEST_CASE(
    "200 training steps follow PyTorch's losses and end at its weights; forgotten weight decay is "
    "noticed") {
  for (const Distance& d : compare_training(fixtures / "training"))
    CHECK_MESSAGE(d.fine(), d.quantity, " differ by ", d.value, ", allowed are ", d.allowed);
  for (const Distance& d : compare_training(fixtures / "training", true))
    CHECK_MESSAGE(!d.fine(), "without weight decay ", d.quantity, " differ by ", d.value, " only");
}
