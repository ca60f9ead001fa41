#include "gradus/data/sentences.h"

#include <doctest/doctest.h>

#include <string>

namespace gradus {
namespace {

// The sentences, with a bar between them.
std::string split(std::string_view text) {
  std::string joined;
  for (const auto sentence : split_sentences(text))
    joined += (joined.empty() ? "" : " | ") + std::string(sentence);
  return joined;
}

TEST_CASE("sentences end at . ! ? and ellipses, with what closes behind them") {
  CHECK(split("He came. She left! Why? Nobody knows") ==
        "He came. | She left! | Why? | Nobody knows");
  CHECK(split("\"Go!\" She went. (It rained.) 'Well.' He sat.") ==
        "\"Go!\" | She went. | (It rained.) | 'Well.' | He sat.");
  CHECK(split("“Go.” “No.” He sighed… Then he went.") ==
        "“Go.” | “No.” | He sighed… | Then he went.");
  CHECK(split("What?! Really... Yes.") == "What?! | Really... | Yes.");
  CHECK(split("\"Oh!\" he said, and sat.") == "\"Oh!\" he said, and sat.");
  CHECK(split("Well... perhaps. . . . Not now.") == "Well... perhaps. . . . | Not now.");
}

TEST_CASE("the wide marks of Chinese and Japanese end sentences without white space") {
  CHECK(split("他来了。她走了！为什么？没有人知道") ==
        "他来了。 | 她走了！ | 为什么？ | 没有人知道");
  CHECK(split("「行きます。」と彼は言った。終わり。") ==
        "「行きます。」と彼は言った。 | 終わり。");
  CHECK(split("真的？！是的。") == "真的？！ | 是的。");
}

TEST_CASE("abbreviations, initials and numbers do not end a sentence") {
  CHECK(split("Mr. Hyde met Dr. Jekyll in St. Paul. They spoke.") ==
        "Mr. Hyde met Dr. Jekyll in St. Paul. | They spoke.");
  CHECK(split("J. K. Jerome wrote it. It was I. He knew.") ==
        "J. K. Jerome wrote it. | It was I. | He knew.");
  CHECK(split("It cost 3.50 pounds, i.e. Much. See No. 5 there. No. He left.") ==
        "It cost 3.50 pounds, i.e. Much. | See No. 5 there. | No. | He left.");
}

TEST_CASE("nothing is lost, nothing is empty") {
  CHECK(split("").empty());
  CHECK(split(" \t ").empty());
  CHECK(split("...") == "...");
  CHECK(split("  a  ") == "a");
  CHECK(split(". . . A. B.  C") == ". . . | A. B.  C");
  CHECK(split("Été. Élan vital. Été") == "Été. | Élan vital. | Été");
}

}  // namespace
}  // namespace gradus
