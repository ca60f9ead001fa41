#include "gradus/io/pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#include "gradus/base/error.h"

namespace gradus {
namespace {

using Kind = PickleValue::Kind;
constexpr size_t most_opcodes = 1'000'000;  // BERT-large has 400 tensors of about 40 opcodes each

class Machine {
 public:
  Machine(std::string_view bytes, const std::string& origin, const std::set<std::string>& known,
          std::deque<PickleValue>& values)
      : bytes_(bytes), origin_(origin), known_(known), values_(values) {}

  const PickleValue* run() {
    for (size_t opcodes = 0; opcodes < most_opcodes; ++opcodes) {
      const auto opcode = static_cast<unsigned char>(take(1)[0]);
      if (opcode == '.') return pop();
      step(opcode);
    }
    fail("{}: its pickle has more than {} opcodes, more than any state dict", origin_,
         most_opcodes);
  }
  size_t position() const { return at_; }

 private:
  // One row per opcode.
  // clang-format off
  void step(unsigned char opcode) {
    switch (opcode) {
      case 0x80: number<uint8_t>(); break;                                // PROTO
      case 0x95: number<uint64_t>(); break;                               // FRAME: not needed
      case '(': marks_.push_back(stack_.size()); break;                   // MARK
      case '0': pop(); break;                                             // POP
      case 'N': push(Kind::none); break;                                  // NONE
      case 0x88: push(Kind::boolean).integer = 1; break;                  // NEWTRUE
      case 0x89: push(Kind::boolean).integer = 0; break;                  // NEWFALSE
      case 'K': push(Kind::integer).integer = number<uint8_t>(); break;   // BININT1
      case 'M': push(Kind::integer).integer = number<uint16_t>(); break;  // BININT2
      case 'J': push(Kind::integer).integer = number<int32_t>(); break;   // BININT
      case 0x8a: long_integer(number<uint8_t>()); break;                  // LONG1
      case 'G': push(Kind::real).real = big_endian_double(); break;       // BINFLOAT
      case 'X': case 'T':                                                 // BINUNICODE, BINSTRING
        push(Kind::text).text = take(number<uint32_t>());
        break;
      case 0x8c: case 'U':                                                // their SHORT_ forms
        push(Kind::text).text = take(number<uint8_t>());
        break;
      case 0x8d: push(Kind::text).text = take(number<uint64_t>()); break; // BINUNICODE8
      case ')': push(Kind::tuple); break;                                 // EMPTY_TUPLE
      case ']': push(Kind::list); break;                                  // EMPTY_LIST
      case '}': push(Kind::dict); break;                                  // EMPTY_DICT
      case 't': push_items(Kind::tuple, pop_to_mark()); break;            // TUPLE
      case 'l': push_items(Kind::list, pop_to_mark()); break;             // LIST
      case 0x85: case 0x86: case 0x87:                                    // TUPLE1, 2, 3
        push_items(Kind::tuple, pop_last(opcode - 0x84u));
        break;
      case 'a': append(pop_last(1)); break;                               // APPEND
      case 'e': append(pop_to_mark()); break;                             // APPENDS
      case 's': set_items(pop_last(2)); break;                            // SETITEM
      case 'u': set_items(pop_to_mark()); break;                          // SETITEMS
      case 'q': memo_[number<uint8_t>()] = top(); break;                  // BINPUT
      case 'r': memo_[number<uint32_t>()] = top(); break;                 // LONG_BINPUT
      case 0x94: memo_[static_cast<uint32_t>(memo_.size())] = top(); break;  // MEMOIZE
      case 'h': recall(number<uint8_t>()); break;                         // BINGET
      case 'j': recall(number<uint32_t>()); break;                        // LONG_BINGET
      case 'c': {                                                         // GLOBAL
        const std::string module = line();
        global(module, line());
        break;
      }
      case 0x93: {                                                        // STACK_GLOBAL
        const auto names = pop_last(2);
        global(text_of(names[0]), text_of(names[1]));
        break;
      }
      case 'R': call(pop_last(2)); break;                                 // REDUCE
      case 'b': pop(); top(); break;                                      // BUILD
      case 'Q': push_items(Kind::persistent, pop_last(1)); break;         // BINPERSID
      default:
        fail("{}: its pickle has the opcode 0x{:02x} at byte {}, which no state dict has", origin_,
             opcode, at_ - 1);
    }
  }
  // clang-format on

  [[noreturn]] void damaged(const char* what) const {
    fail("{}: its pickle is damaged at byte {}: {}", origin_, at_, what);
  }

  std::string_view take(uint64_t size) {
    if (size > bytes_.size() - at_) damaged("it ends too early");
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) damaged("it ends too early");
    std::string text(take(end - at_));
    take(1);
    return text;
  }
  double big_endian_double() {
    std::string reversed(take(8));
    std::reverse(reversed.begin(), reversed.end());
    double value;
    std::memcpy(&value, reversed.data(), 8);
    return value;
  }
  // Two's complement of any length; what does not fit into 64 bits (the magic number of PyTorch's
  // old format) stays as its bytes.
  void long_integer(size_t size) {
    const std::string_view bytes = take(size);
    if (size > 8) {
      push(Kind::text).text = bytes;
      return;
    }
    uint64_t value = 0;
    std::memcpy(&value, bytes.data(), size);
    if (size && size < 8 && (bytes.back() & 0x80)) value |= ~uint64_t{0} << (8 * size);
    push(Kind::integer).integer = std::bit_cast<int64_t>(value);
  }

  PickleValue& push(Kind kind) {
    PickleValue& value = values_.emplace_back();
    value.kind = kind;
    stack_.push_back(&value);
    return value;
  }
  void push_items(Kind kind, const std::vector<PickleValue*>& items) {
    push(kind).items.assign(items.begin(), items.end());
  }

  // What stands on the stack above the last mark is all that an opcode may take.
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  PickleValue* top() const {
    if (stack_.size() <= floor()) damaged("a value is missing");
    return stack_.back();
  }
  PickleValue* pop() { return pop_last(1)[0]; }
  std::vector<PickleValue*> pop_last(size_t count) {
    if (stack_.size() - floor() < count) damaged("a value is missing");
    std::vector<PickleValue*> last(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return last;
  }
  std::vector<PickleValue*> pop_to_mark() {
    if (marks_.empty()) damaged("a mark is missing");
    std::vector<PickleValue*> above = pop_last(stack_.size() - marks_.back());
    marks_.pop_back();
    return above;
  }

  void append(const std::vector<PickleValue*>& items) {
    PickleValue& list = *top();
    if (list.kind != Kind::list) damaged("something is appended to what is no list");
    list.items.insert(list.items.end(), items.begin(), items.end());
  }
  void set_items(const std::vector<PickleValue*>& pairs) {
    PickleValue& dict = *top();
    if (dict.kind != Kind::dict && dict.kind != Kind::call)
      damaged("something is entered into what is no dict");
    if (pairs.size() % 2) damaged("a key has no value");
    for (size_t i = 0; i < pairs.size(); i += 2) dict.entries.emplace_back(pairs[i], pairs[i + 1]);
  }
  void recall(uint32_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) damaged("it recalls what was not kept");
    stack_.push_back(found->second);
  }
  const std::string& text_of(const PickleValue* value) const {
    if (value->kind != Kind::text) damaged("a name is no text");
    return value->text;
  }
  void global(const std::string& module, const std::string& name) {
    std::string full = module + "." + name;
    if (!known_.contains(full))
      fail(
          "{}: its pickle wants to use '{}', which is not needed to store tensors; it was not run, "
          "and the file is refused",
          origin_, full.size() <= 200 ? full : full.substr(0, 200) + "…");
    push(Kind::global).text = std::move(full);
  }
  void call(const std::vector<PickleValue*>& function_and_arguments) {
    if (function_and_arguments[0]->kind != Kind::global ||
        function_and_arguments[1]->kind != Kind::tuple)
      damaged("what is called is no function");
    push_items(Kind::call, function_and_arguments);
  }

  std::string_view bytes_;
  const std::string& origin_;
  const std::set<std::string>& known_;
  std::deque<PickleValue>& values_;
  size_t at_ = 0;
  std::vector<PickleValue*> stack_;
  std::vector<size_t> marks_;
  std::map<uint32_t, PickleValue*> memo_;
};

}  // namespace

Pickle::Pickle(std::string_view bytes, const std::string& origin,
               const std::set<std::string>& known_globals) {
  Machine machine(bytes, origin, known_globals, values_);
  root_ = machine.run();
  size_ = machine.position();
}

}  // namespace gradus
