// The program as a user meets it: exit codes, one clear line, nothing left behind. Runs the built
// `gradus` (GRADUS_PROGRAM).
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <sstream>

#include "gradus/base/file.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {

struct Outcome {
  int code;
  std::string output;  // both streams
  int64_t lines() const { return std::count(output.begin(), output.end(), '\n'); }
};

Outcome run(const std::string& arguments) {
  const char* program = std::getenv("GRADUS_PROGRAM");
  REQUIRE_MESSAGE(program, "GRADUS_PROGRAM is not set");
  std::FILE* pipe =
      ::popen((std::string(program) + " " + arguments + " 2>&1 </dev/null").c_str(), "r");
  Outcome outcome{0, ""};
  char buffer[4096];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    outcome.output.append(buffer, n);
  const int status = ::pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

// Refused with exit code 2 and the parts in what is said; `left` must not exist afterwards.
void check_refused(const std::string& arguments, const std::vector<std::string>& mentions,
                   const fs::path& left = {}) {
  const Outcome outcome = run(arguments);
  CHECK_MESSAGE(outcome.code == 2, arguments, "\n", outcome.output);
  for (const std::string& part : mentions) CHECK_MENTIONS(outcome.output, part);
  CHECK_MESSAGE(outcome.output.find("terminate") == std::string::npos, outcome.output);
  if (!left.empty()) CHECK_FALSE(fs::exists(left));
}

std::string sentences(int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "The cat number " + std::to_string(i % 7) +
            " sat on the mat. It was warm.\nThe dog saw the cat and ran away.\n\n";
  return text;
}

struct Files {
  Scratch scratch;
  std::string text = (scratch / "text.txt").string(), vocab = (scratch / "vocab.txt").string(),
              corpus = (scratch / "c.gds").string(), out = (scratch / "out").string();
  Files() {
    write_file(text, sentences(40));
    REQUIRE(run("vocab --corpus " + text + " --size 120 --out " + vocab).code == 0);
  }
  void build() const {
    REQUIRE(run("data build --corpus " + text + " --vocab " + vocab +
                " --validation-fraction 0.1 --out " + corpus)
                .code == 0);
  }
};

}  // namespace

TEST_CASE("help fits a screen and has an example") {
  CHECK(run("--help").code == 0);
  for (const char* verb : {"demo",
                           "vocab",
                           "tokenize",
                           "data",
                           "data build",
                           "data inspect",
                           "data story",
                           "pretrain",
                           "finetune",
                           "finetune classify",
                           "finetune regress",
                           "finetune multilabel",
                           "finetune ner",
                           "finetune qa",
                           "finetune choice",
                           "eval",
                           "predict",
                           "fill-mask",
                           "embed",
                           "convert",
                           "gradcheck",
                           "bench step"}) {
    const Outcome outcome = run(std::string(verb) + " --help");
    CHECK(outcome.code == 0);
    CHECK_MESSAGE(outcome.lines() <= 50, verb, " has ", outcome.lines(), " lines");
    if (std::string(verb) != "data") CHECK_MENTIONS(outcome.output, "xample");
  }
}

TEST_CASE("wrong usage") {
  check_refused("", {"gradus"});
  check_refused("fly", {"no verb fly"});
  check_refused("finetune clasify", {"no verb clasify", "closest is classify"});
  check_refused("finetune --model m", {"--model comes too early", "classify, regress"});
  check_refused("--model m predict x", {"--model belongs behind predict"});
  check_refused("pretrain --data d --out o foo", {"'foo' is not expected"});
  check_refused("pretrain --data d --out o --max-seq-len 5", {"--max-seq-length"});
  check_refused("predict -- x", {"--model is required"});
  check_refused("pretrain --out /tmp/x", {"--data"});
  check_refused("finetune classify --model m --train t --out o --warmup 0.1",
                {"no option --warmup; the closest is --warmup-steps"});
  check_refused("finetune classify --model m --train t --out o --label a,b",
                {"the closest are --labels, --label-column"});
  check_refused("predict --model m --bacth-size=3 x.tsv", {"no option --bacth-size"});
}

TEST_CASE("a corpus that is missing, empty or not text") {
  const Files f;
  check_refused("vocab --corpus " + f.out + ".txt --out " + f.out, {f.out + ".txt", "no such file"},
                f.out);
  check_refused("data build --corpus " + f.out + ".txt --vocab " + f.vocab + " --out " + f.corpus,
                {f.out + ".txt", "no such file"}, f.corpus);
  write_file(f.scratch / "empty.txt", "");
  check_refused("vocab --corpus " + (f.scratch / "empty.txt").string() + " --out " + f.out,
                {"empty.txt"}, f.out);
  check_refused("data build --corpus " + (f.scratch / "empty.txt").string() + " --vocab " +
                    f.vocab + " --out " + f.corpus,
                {"empty.txt"}, f.corpus);
}

TEST_CASE("invalid UTF-8 is named by file and line; --replace-invalid goes on") {
  const Files f;
  const std::string bad = (f.scratch / "bad.txt").string();
  write_file(bad, sentences(5) +
                      "a b\xff"
                      "c d.\n" +
                      sentences(40));
  check_refused("vocab --corpus " + bad + " --out " + f.out, {"bad.txt:16"}, f.out);
  check_refused("data build --corpus " + bad + " --vocab " + f.vocab + " --out " + f.corpus,
                {"bad.txt:16"}, f.corpus);
  CHECK(run("vocab --size 120 --replace-invalid --corpus " + bad + " --out " + f.out).code == 0);
  CHECK(run("data build --replace-invalid --corpus " + bad + " --vocab " + f.vocab + " --out " +
            f.corpus)
            .code == 0);
}

TEST_CASE("a vocabulary without [MASK]") {
  const Files f;
  write_file(f.vocab, "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\ncat\n");
  check_refused("data build --corpus " + f.text + " --vocab " + f.vocab + " --out " + f.corpus,
                {"[MASK]"}, f.corpus);
}

TEST_CASE("a model that does not fit the corpus") {
  const Files f;
  f.build();
  const std::string config = (f.scratch / "config.json").string(),
                    base = "pretrain --data " + f.corpus + " --max-steps 1 --out " + f.out +
                           " --model " + config;
  const std::string vocab = read_file(f.vocab),
                    size = std::to_string(std::count(vocab.begin(), vocab.end(), '\n'));
  const auto with = [&](std::string json) {
    if (const size_t at = json.find("SIZE"); at != std::string::npos) json.replace(at, 4, size);
    write_file(config, json);
  };
  with(
      R"({"vocab_size": 50, "hidden_size": 8, "num_hidden_layers": 1,
            "num_attention_heads": 2, "intermediate_size": 8})");
  check_refused(base, {"vocabulary", "50"}, f.out);
  with(
      R"({"vocab_size": SIZE, "hidden_size": 8, "num_hidden_layers": 1,
            "num_attention_heads": 3, "intermediate_size": 8})");
  check_refused(base, {"hidden_size 8", "num_attention_heads 3"}, f.out);
  with(
      R"({"vocab_size": SIZE, "hidden_size": 8, "num_hidden_layers": 1,
            "num_attention_heads": 2, "intermediate_size": 8, "max_position_embeddings": 64})");
  check_refused(base, {"--max-seq-length 128", "64 positions"}, f.out);
  check_refused("pretrain --data " + f.corpus + " --model enormous --out " + f.out,
                {"enormous", "tiny"}, f.out);
}

TEST_CASE("an output that is in use or cannot be written") {
  const Files f;
  f.build();
  fs::create_directory(f.out);
  write_file(f.out + "/mine.txt", "precious");
  check_refused("pretrain --data " + f.corpus + " --max-steps 1 --out " + f.out,
                {"not empty", "--overwrite"});
  CHECK(read_file(f.out + "/mine.txt") == "precious");
  check_refused("pretrain --data " + f.corpus + " --max-steps 1 --out " + f.text, {"it is a file"});
  if (::geteuid() == 0) {
    MESSAGE(
        "SKIPPED: an unwritable folder, because root may write everywhere; /proc stands in for it");
    check_refused("pretrain --data " + f.corpus + " --max-steps 1 --out /proc/gradus",
                  {"/proc/gradus"});
  } else {
    fs::create_directory(f.scratch / "locked");
    ::chmod((f.scratch / "locked").c_str(), 0555);
    check_refused(
        "pretrain --data " + f.corpus + " --max-steps 1 --out " + (f.scratch / "locked").string(),
        {"cannot be written"});
  }
}

TEST_CASE("a damaged corpus file, and fill-mask's own mistakes") {
  const Files f;
  f.build();
  const std::string bytes = read_file(f.corpus);
  write_file(f.corpus, bytes.substr(0, bytes.size() / 2));
  check_refused("pretrain --data " + f.corpus + " --max-steps 1 --out " + f.out, {"c.gds"}, f.out);
  check_refused("fill-mask --model " + f.out + " 'a [MASK] b'", {f.out, "no such model folder"});
}

TEST_CASE("from text to filled masks, by the program alone") {
  const Files f;
  f.build();
  // In Hugging Face's spelling.
  REQUIRE(run("pretrain --data " + f.corpus +
              " --model tiny --max_seq_length 32 --max_steps=3 --per_device_train_batch_size 4 "
              "--output_dir " +
              f.out)
              .code == 0);
  const Outcome filled =
      run("fill-mask --model " + f.out + " --top-k 3 'the cat sat on the [MASK] .'");
  CHECK(filled.code == 0);
  CHECK(filled.lines() == 4);
  check_refused("fill-mask --model " + f.out + " 'no mask here'", {"no mask here", "[MASK]"});
  std::string longer;
  for (int i = 0; i < 600; ++i) longer += "cat ";
  check_refused("fill-mask --model " + f.out + " '" + longer + "[MASK]'", {"512 positions"});
  CHECK(run("tokenize --vocab " + f.vocab + " --format json " + f.text).code == 0);
  CHECK(run("data inspect " + f.corpus).code == 0);
}

TEST_CASE("tokenize: pairs, windows, words and back again") {
  const Files f;
  const std::string tokenize = "tokenize --vocab " + f.vocab + " --format ids ",
                    lines = (f.scratch / "lines.txt").string();
  write_file(lines, "the cat sat on the mat\tthe dog ran away\n");
  CHECK(run(tokenize + "--pair --max-length 8 " + lines).lines() == 1);
  CHECK(run(tokenize + "--pair --max-length 11 --stride 1 --truncation only_second " + lines)
            .lines() > 1);
  check_refused(tokenize + "--pair --max-length 8 --truncation only_second " + lines,
                {"second alone", "longest_first"});
  check_refused(tokenize + "--stride 2 " + lines, {"--stride 2", "--max-length"});
  check_refused(tokenize + "--truncation only_second " + lines, {"--pair"});
  check_refused(tokenize + "--truncation middle " + lines, {"middle", "longest_first"});
  check_refused(tokenize + "--pair --special " + f.text, {"text.txt:1", "tab"});
  check_refused(tokenize + "--decode " + f.text, {"text.txt:1", "'The' is not an id"});
  write_file(lines, "the cat sat\n");
  const std::string ids = run(tokenize + "--words --special " + lines).output;
  write_file(lines, ids);
  CHECK(run(tokenize + "--decode " + lines).output == "the cat sat\n");
  CHECK(run(tokenize + "--decode --keep-special " + lines).output == "[CLS] the cat sat [SEP]\n");
  // The vocabulary with its rules in one file, read again.
  const std::string json = (f.scratch / "tokenizer.json").string();
  CHECK(run(tokenize + "--save " + json).code == 0);
  CHECK(run("tokenize --vocab " + json + " --format ids " + f.text).output ==
        run(tokenize + f.text).output);
}

TEST_CASE("embed: order, empty lines, formats, mistakes") {
  const Files f;
  f.build();
  REQUIRE(run("pretrain --data " + f.corpus +
              " --model tiny --max-seq-length 32 --max-steps 2 --batch-size 4 --out " + f.out)
              .code == 0);
  const std::string embed = "embed --overwrite --model " + f.out + " ",
                    lines = (f.scratch / "lines.txt").string(),
                    vectors = (f.scratch / "v").string();
  const auto embedded = [&](const std::string& text, const std::string& options) {
    write_file(lines, text);
    const Outcome outcome = run(embed + options + " --out " + vectors + " " + lines);
    CHECK_MESSAGE(outcome.code == 0, outcome.output);
    return read_file(vectors);
  };
  // One vector a line in the order of the lines, each as if it were alone: the longest is not the
  // first.
  std::string alone;
  for (const char* line : {"the cat", "", "the dog saw the cat and ran away", "it was warm"})
    alone += embedded(line + std::string("\n"), "--format npy").substr(128);
  CHECK(embedded("the cat\n\nthe dog saw the cat and ran away\nit was warm\n",
                 "--format npy --batch-tokens 1")
            .substr(128) == alone);
  CHECK(alone.size() == 4 * 128 * sizeof(float));
  const std::string json = embedded("the cat\n\n", "");
  CHECK_MENTIONS(json, "{\"index\": 1, \"embedding\": [");
  CHECK_MENTIONS(
      embedded("the cat ||| it\n", "--layers -1,0"),
      R"({"linex_index": 0, "features": [{"token": "[CLS]", "layers": [{"index": -1, "values": [)");
  CHECK_MENTIONS(run(embed + "--max-seq-length 3 --out " + vectors + " " + f.text).output,
                 "cut to 3 tokens");
  fs::remove(vectors);

  check_refused("embed --model " + f.text + " --out " + vectors, {f.text, "no such model folder"},
                vectors);
  check_refused(embed + f.text, {"--out"});
  check_refused(embed + "--layers 2 --out " + vectors + " " + f.text, {"--layers 2", "0 to 1"},
                vectors);
  check_refused(embed + "--layers -1 --format npy --out " + vectors + " " + f.text,
                {"--format npy"}, vectors);
  check_refused(embed + "--max-seq-length 1000 --out " + vectors + " " + f.text,
                {"--max-seq-length 1000", "512 positions"}, vectors);
  check_refused(embed + "--out " + vectors + " " + f.corpus, {f.corpus}, vectors);
  // Modules that are written hold from then on.
  CHECK(run(embed + "--pooling cls --normalize --max-seq-length 16 --save-modules").code == 0);
  CHECK(embedded("the cat\n", "--format npy") ==
        embedded("the cat\n", "--format npy --pooling cls --normalize"));
  CHECK(embedded("the cat\n", "--format npy") !=
        embedded("the cat\n", "--format npy --no-normalize"));
}

TEST_CASE(
    "convert: a TensorFlow checkpoint becomes a folder that the other verbs take; damaged files "
    "are one line and nothing written") {
  const Scratch scratch;
  const fs::path source = fs::path(GRADUS_SOURCE_ROOT) / "tests" / "fixtures";
  const std::string out = (scratch / "out").string(),
                    checkpoint = (source / "tf-bert" / "bert_model.ckpt").string();
  const Outcome done = run("convert --model " + checkpoint + " --out " + out + " --dtype bf16");
  CHECK_MESSAGE(done.code == 0, done.output);
  for (const char* part :
       {"46 tensors", "46 renamed", "14 transposed", "3 dropped", "global_step", "gelu_new"})
    CHECK_MENTIONS(done.output, part);
  CHECK(run("fill-mask --model " + out + " \"word1 [MASK] .\"").code == 0);
  check_refused("convert --model " + checkpoint + " --out " + out, {"not empty", "--overwrite"});

  const std::string other = (scratch / "other").string(), in = (scratch / "in").string();
  const auto refused_as = [&](const std::string& weights, const std::string& mentions) {
    write_file(scratch / "in" / "pytorch_model.bin", weights);
    const Outcome outcome = run("convert --model " + in + " --out " + other);
    CHECK(outcome.code == 2);
    CHECK(outcome.lines() == 1);
    CHECK_MENTIONS(outcome.output, mentions);
    CHECK_FALSE(fs::exists(other));
  };
  fs::create_directory(in);
  fs::copy(source / "tiny-bert" / "config.json", scratch / "in" / "config.json");
  const std::string whole = read_file(source / "weights" / "zip.bin"),
                    legacy = read_file(source / "weights" / "legacy.bin");
  refused_as(whole.substr(0, whole.size() / 2), "cut off");
  refused_as(legacy.substr(0, legacy.size() / 2), "cut off");
  std::string evil = legacy;  // the old form's third pickle names collections.OrderedDict
  const std::string name = "ccollections\nOrderedDict\n", system = "cos\nsystem\n";
  evil.replace(evil.find(name), name.size(), system);
  refused_as(evil, "'os.system'");
  refused_as(whole, "give one as --vocab");
  check_refused("convert --model " + in + " --out " + other + " --dtype f16",
                {"--dtype f16", "f32 or bf16"}, other);
}

TEST_CASE("numbers outside of their range are refused by name, before anything is made") {
  Files f;
  const std::string base = "pretrain --data " + f.corpus + " --out " + f.out;
  for (const auto& [option, value, words] :
       std::vector<std::array<std::string, 3>>{{"--epochs", "nan", "above 0"},
                                               {"--epochs", "0", "above 0"},
                                               {"--epochs", "-1", "above 0"},
                                               {"--learning-rate", "-1", "at least 0"},
                                               {"--learning-rate", "inf", "at least 0"},
                                               {"--warmup-steps", "-0.5", "at least 0"},
                                               {"--warmup-steps", "nan", "at least 0"},
                                               {"--weight-decay", "-0.1", "at least 0"},
                                               {"--max-grad-norm", "nan", "at least 0"},
                                               {"--max-minutes", "-3", "at least 0"},
                                               {"--dropout", "1", "below 1"},
                                               {"--max-steps", "-4", "at least 0"},
                                               {"--max-steps", "99999999999999999999", ""}})
    check_refused(base + " " + option + " " + value, {option, words}, f.out);
}

TEST_CASE(
    "a signal ends the step, saves, and is the exit code; a second run may go on from there") {
  Files f;
  f.build();
  for (const auto& pair : {std::pair("TERM", "143"), {"INT", "130"}, {"HUP", "129"}}) {
    const std::string signal = pair.first, code = pair.second;
    const std::string run_it = std::string(std::getenv("GRADUS_PROGRAM")) + " pretrain --data " +
                               f.corpus + " --out " + f.out +
                               " --overwrite --model tiny --batch-size 2 --max-steps 100000 "
                               "--max-seq-length 32 > " +
                               f.out + ".log 2>&1 & p=$!; ";
    const std::string wait_for_a_step =
        "for i in $(seq 200); do sleep 0.1; [ -s " + f.out + "/metrics.jsonl ] && break; done; ";
    const int status = std::system(
        ("sh -c '" + run_it + wait_for_a_step + "kill -" + signal + " $p; wait $p; exit $?'")
            .c_str());
    const std::string said = read_file(f.out + ".log");
    CHECK_MESSAGE(std::to_string(WEXITSTATUS(status)) == code, signal, "\n", said);
    CHECK_MENTIONS(said, "stopped by SIG" + signal, "saved");
    CHECK(run("fill-mask --model " + f.out + " \"The [MASK] sat.\"").code == 0);
    fs::remove_all(f.out);
  }
}

TEST_CASE("standard streams that are closed are no file's: nothing is printed into a result") {
  Files f;
  f.build();
  const std::string command = std::string(std::getenv("GRADUS_PROGRAM")) + " pretrain --data " +
                              f.corpus + " --out " + f.out +
                              " --model tiny --max-steps 3 --batch-size 2 --logging-steps 1";
  CHECK(std::system((command + " >&- 2>&- <&-").c_str()) == 0);
  std::istringstream lines(read_file(f.out + "/metrics.jsonl"));
  int64_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) CHECK(line.starts_with("{"));
  CHECK(count >= 3);
}

TEST_CASE(
    "finetune, eval, predict: from a Google checkpoint and a table to answers in the order of the "
    "input") {
  const Scratch scratch;
  const std::string base =
                        std::string(GRADUS_SOURCE_ROOT) + "/tests/fixtures/tf-bert/bert_model.ckpt",
                    out = (scratch / "out").string();
  write_file(scratch / "train.tsv",
             "sentence\tlabel\nword1 word2\tgood\nword3\tbad\nword1\tgood\n");
  write_file(scratch / "dev.tsv", "sentence\tlabel\nword1\tgood\nword3\tbad\n");
  write_file(scratch / "wrong.tsv", "sentence\tlabel\nword1\tfine\n");
  const std::string train = (scratch / "train.tsv").string(), dev = (scratch / "dev.tsv").string(),
                    wrong = (scratch / "wrong.tsv").string();
  check_refused("finetune classify --model " + base + " --train " + train + " --validation " +
                    wrong + " --out " + out,
                {"wrong.tsv:2", "'fine'", "bad, good"}, out);
  check_refused("finetune guess --model " + base, {"gradus"});
  check_refused("predict --model " + base + " " + dev, {"not fine-tuned"});
  const Outcome trained =
      run("finetune classify --model " + base + " --train " + train + " --validation " + dev +
          " --epochs 60 --learning-rate 1e-2 --batch-size 2 --out " + out);
  CHECK_MESSAGE(trained.code == 0, trained.output);
  for (const char* said : {"good", "the worst mistakes", "accuracy 1", "the head is new"})
    CHECK_MENTIONS(trained.output, said);
  // what was used: the model has 24 positions
  CHECK_MENTIONS(read_file(scratch / "out" / "run.json"), "\"max_seq_length\": 24");
  const Outcome judged = run("eval --model " + out + " " + dev);
  CHECK_MESSAGE(judged.code == 0, judged.output);
  CHECK_MENTIONS(judged.output, "2 examples: accuracy 1");
  write_file(scratch / "new.txt", "word3\nword1\n");
  const Outcome answers =
      run("predict --model " + out + " - < " + (scratch / "new.txt").string() + " #");
  CHECK_MESSAGE(answers.code == 0, answers.output);
  CHECK(answers.lines() == 2);
  CHECK(answers.output.find("\"label\":\"bad\"") < answers.output.find("\"label\":\"good\""));
  check_refused("finetune classify --model " + base + " --train " + train + " --out " + out,
                {"not empty"});
}
