// Verb: what the file of a verb sees of the command line. A verb has options, each bound to the
// variable that it fills, an example, and what it does:
//
//   void add_vocab(Verb& program) {
//     auto o = std::make_shared<VocabOptions>();
//     Verb verb = program.verb("vocab", "train a WordPiece vocabulary");
//     verb.option("--corpus", o->corpus, "text files, or folders (their *.txt)").required();
//     verb.option("--size", o->size, "tokens").positive();
//     verb.flag("--cased", o->cased, "keep capitals and accents");
//     verb.footer("Example: gradus vocab --corpus books/ --size 8192 --out vocab.txt");
//     verb.does([o] { run(*o); });
//   }
//
// CLI11 does the work, and only verb.cpp includes it: a file that does takes ten seconds longer to
// compile. Variables outlive the parsing: a verb's action holds them. Defaults above 0 and texts
// that are not empty are shown in --help.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gradus::cli {

class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option& required();
  Option& positive();
  Option& not_negative();
  Option& between(int64_t least, int64_t most);
  Option& one_of(std::vector<std::string> values);
  Option& separated_by(char delimiter);  // many values in one argument
  Option& count(int least, int most);    // so many arguments
  Option& excludes(const Option& other);
  Option& needs(const Option& other);
  Option& hidden();    // left out of --help
  bool given() const;  // on the command line that was read

 private:
  CLI::Option* option_;
};

class Verb {
 public:
  explicit Verb(CLI::App* app) : app_(app) {}

  // A verb of this one, which then needs one of them.
  Verb verb(const std::string& name, const std::string& about);

  // "--name", "-n,--name", or "NAME" for an argument without a name.
  template <class T>
  Option option(const std::string& name, T& value, const std::string& about = "");
  // For what is no variable: `set` gets what is given, `shown` is the default in --help.
  Option option(const std::string& name, std::function<void(const std::string&)> set,
                const std::string& shown, const std::string& about);
  // True where it is given; "!--no-name": false.
  Option flag(const std::string& name, bool& value, const std::string& about = "");
  // Under which words the options that follow stand in --help.
  void heading(std::string text) { heading_ = std::move(text); }
  // Gives an option, by its name, a value as if it had been on the command line, unless it was; to
  // be called by an action. Returns whether it was not.
  bool give(const std::string& name, const std::string& value);
  void hide_help();  // --help itself is left out of --help
  void footer(const std::string& text);
  void does(std::function<void()> action);

 private:
  CLI::App* app_;
  std::string heading_ = "Options";
};

// The verb above all.
class Program : public Verb {
 public:
  Program(const std::string& name, const std::string& about,
          const std::function<std::string()>& version);
  ~Program();
  // Reads the arguments and does what they ask for; --help and --version print. What is wrong with
  // them is an Error.
  void run(std::vector<std::string> arguments);

 private:
  explicit Program(std::unique_ptr<CLI::App> app);
  std::unique_ptr<CLI::App> owned_;
};

}  // namespace gradus::cli
