// data/: from text to what a pretraining step eats. Uses base/ and text/; knows nothing of tensors.
//
//   sentences.h        a paragraph into sentences
//   corpus_file.h      C.gds: documents -> sentences -> token ids in one checked, mapped file
//   corpus_builder.h   text files -> C.gds, by
//     document_cutter.h  lines into paragraphs and documents
//     corpus_writer.h    ids into the file
//     partial_corpus.h   what an interrupted build goes on from
//     seen_lines.h       lines that were there before
//     near_duplicates.h  documents that almost were
//   corpus_statistics.h  what it holds, in numbers
//   instances.h        C.gds -> the masked sentence pairs of an epoch, each by its number
//   table.h            TSV, CSV and JSON lines as rows of named columns
//   line_reader.h      a file or standard input, line by line
#pragma once

#include <string_view>
#include <vector>

namespace gradus {

// Cuts a paragraph, of English or of what is written like it, after each . ! ? or ellipsis (with
// the quotes and brackets that close behind it) that is followed by white space and by something a
// sentence can begin with: a capital, a digit, an opening quote. Not after titles and other
// abbreviations ("Mr. Hyde", "e.g. Rome"), initials ("J. K. Jerome") or inside numbers. Also after
// the wide marks of Chinese and Japanese, behind which no white space stands, unless a quote closes
// there. The parts are views into `paragraph`, in order, without surrounding white space; none is
// empty.
std::vector<std::string_view> split_sentences(std::string_view paragraph);

}  // namespace gradus
