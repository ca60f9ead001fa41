#include "gradus/io/pickle.h"

#include "tests/io/byte_files.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;
using Kind = PickleValue::Kind;

namespace {

const std::set<std::string> known{"collections.OrderedDict"};

std::string refusal(const std::string& bytes) {
  return error_of([&] { Pickle(bytes, "p.bin", known); });
}

}  // namespace

// The bytes are what Python 3.11's pickle.dumps writes for the value that is named.
TEST_CASE("pickle: values of protocol 2 and 4") {
  const std::string two = bytes(
      "\x80\x02]q\x00(K\x01J\xff\xff\xff\xffX\x02\x00\x00\x00hiq\x01G?"
      "\xf8\x00\x00\x00\x00\x00\x00\x88N\x8a\x05\x00\x00\x00\x00\x80h\x01"
      "e.");
  const Pickle list(two, "p", known);  // [1, -1, "hi", 1.5, True, None, -2^39, "hi"]
  const auto& items = list.root().items;
  REQUIRE(items.size() == 8);
  CHECK(items[0]->integer == 1);
  CHECK(items[1]->integer == -1);
  CHECK(items[2]->text == "hi");
  CHECK(items[3]->real == 1.5);
  CHECK((items[4]->kind == Kind::boolean && items[4]->integer == 1));
  CHECK(items[5]->kind == Kind::none);
  CHECK(items[6]->integer == -(int64_t{1} << 39));
  CHECK(items[7] == items[2]);
  CHECK(list.size() == two.size());

  const std::string four = bytes(
      "\x80\x04\x95\x15\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01"
      "a\x94K\x01\x8c\x01"
      "b\x94K\x02K\x03\x86\x94u.");
  const Pickle dict(four, "p", known);  // {"a": 1, "b": (2, 3)}
  REQUIRE(dict.root().entries.size() == 2);
  CHECK(dict.root().entries[1].first->text == "b");
  CHECK(dict.root().entries[1].second->items[1]->integer == 3);
}

TEST_CASE(
    "pickle: a call is a name and its arguments; what would be run is refused by name, and nothing "
    "runs") {
  const Pickle called(
      "\x80\x02"
      "ccollections\nOrderedDict\n)R.",
      "p", known);
  CHECK(called.root().kind == Kind::call);
  CHECK(called.root().items[0]->text == "collections.OrderedDict");
  const Scratch scratch;
  const std::string file = (scratch / "ran").string();
  const std::string command = "touch " + file, code = "open('" + file + "', 'w')";
  const auto text = [](const std::string& s) {
    return std::string("X") + static_cast<char>(s.size()) + std::string(3, '\0') + s;
  };
  CHECK_MENTIONS(refusal("\x80\x02"
                         "cos\nsystem\n" +
                         text(command) + "\x85R."),
                 "'os.system'");
  CHECK_MENTIONS(refusal("\x80\x02"
                         "cbuiltins\neval\n" +
                         text(code) + "\x85R."),
                 "'builtins.eval'");
  CHECK_MENTIONS(refusal("\x80\x02"
                         "c__builtin__\nexec\n" +
                         text(code) + "\x85R."),
                 "'__builtin__.exec'");
  CHECK_MENTIONS(refusal("\x80\x04\x8c\x05posix\x8c\x06system\x93" + text(command) + "\x85R."),
                 "'posix.system'");
  CHECK_MENTIONS(refusal("\x80\x02(" + text(command) + "ios\nsystem\n."), "opcode 0x69");  // INST
  CHECK_MENTIONS(refusal("\x80\x02"
                         "ccollections\nOrderedDict\n)\x81."),
                 "opcode 0x81");                                                       // NEWOBJ
  CHECK_MENTIONS(refusal("\x80\x02" + std::string("\x82\x01") + "."), "opcode 0x82");  // EXT1
  CHECK(!std::filesystem::exists(file));
}

TEST_CASE("pickle: cut off, claims, missing values and marks") {
  CHECK_MENTIONS(refusal(""), "ends too early");
  CHECK_MENTIONS(refusal("\x80\x02K"), "ends too early");
  CHECK_MENTIONS(refusal("X\xff\xff\xff\x7fhi."), "ends too early");
  CHECK_MENTIONS(refusal("\x8d\xff\xff\xff\xff\xff\xff\xff\xffhi."), "ends too early");
  CHECK_MENTIONS(refusal("cos"), "ends too early");
  CHECK_MENTIONS(refusal("."), "value is missing");
  CHECK_MENTIONS(refusal("K\x01\x86."), "value is missing");
  CHECK_MENTIONS(refusal("K\x01(\x85."), "value is missing");
  CHECK_MENTIONS(refusal("t."), "mark is missing");
  CHECK_MENTIONS(refusal("h\x07."), "not kept");
  CHECK_MENTIONS(refusal("N)R."), "no function");
  CHECK_MENTIONS(refusal("NNa."), "no list");
  CHECK_MENTIONS(refusal("NNNs."), "no dict");
  CHECK_MENTIONS(refusal("}(Nu."), "no value");
  CHECK_MENTIONS(refusal("r\xff\xff\xff\xff."), "value is missing");
}

TEST_CASE("pickle: nesting, cycles and long programs end, in little memory") {
  std::string deep;
  for (int i = 0; i < 400'000; ++i) deep += ']';
  for (int i = 1; i < 400'000; ++i) deep += 'a';
  const Pickle nested(deep + ".", "p", known);  // [[[[…]]]]: destroyed without recursion
  CHECK(nested.root().items.size() == 1);
  const Pickle cycle(bytes("]q\x00h\x00"
                           "a."),
                     "p", known);  // a list that holds itself
  CHECK(cycle.root().items[0] == &cycle.root());
  // a place in the memo is no array's index
  CHECK(Pickle("Nr\xff\xff\xff\xff.", "p", known).root().kind == Kind::none);
  std::string doubling = "]";
  // 2^100 leaves, if one counted them
  for (char i = 0; i < 100; ++i) doubling += std::string("q") + i + "]" + "(h" + i + "h" + i + "e";
  CHECK(Pickle(doubling + ".", "p", known).root().items.size() == 2);
  CHECK_MENTIONS(refusal(std::string(2'000'000, 'N')), "more than 1000000 opcodes");
}
