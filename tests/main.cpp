// The main of every test program. A test that needs ../shared/data asks shared_data(), and says so
// when it skips.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
