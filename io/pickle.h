// Python's pickle format, read as data. Nothing is imported, called or built: a global is its name,
// a call is recorded as the name and the arguments, and a name that the caller does not know is an
// Error before anything else is read.
//
// Understood are the opcodes that Python 2 and 3 write for strings, numbers, lists, tuples, dicts,
// known globals and calls of them (protocols 2 to 5); any other opcode is an Error. Values form a
// graph with shared parts and, in a hostile file, cycles: whoever follows it must know how deep.
// They lie in the Pickle, in memory proportional to the file's.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradus {

struct PickleValue {
  enum class Kind {
    none,
    boolean,
    integer,
    real,
    text,
    tuple,
    list,
    dict,
    global,
    call,
    persistent
  };
  Kind kind = Kind::none;
  int64_t integer = 0;  // boolean: 0 or 1
  double real = 0;
  std::string text;  // text; global: "module.name"
  // tuple, list; call: the global, its arguments; persistent: its id
  std::vector<const PickleValue*> items;
  // dict; a call that entries were put into
  std::vector<std::pair<const PickleValue*, const PickleValue*>> entries;
};

class Pickle {
 public:
  // Reads one pickle from the beginning of `bytes`. Errors name `origin`.
  Pickle(std::string_view bytes, const std::string& origin,
         const std::set<std::string>& known_globals);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;
  const PickleValue& root() const { return *root_; }
  size_t size() const { return size_; }  // bytes up to and with its end

 private:
  std::deque<PickleValue> values_;  // addresses are stable, and destruction is not recursive
  const PickleValue* root_ = nullptr;
  size_t size_ = 0;
};

}  // namespace gradus
