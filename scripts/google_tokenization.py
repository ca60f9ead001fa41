"""The tokenizer of google-research/bert, written from its rules: the oracle for Gradus's google
mode. Imported by compare_tokenizers.py.

The rules are those of docs/tokenizer.md, stated one by one below; the functions follow them and
nothing else. Unicode properties come from the unicodedata2 package where it is installed (15.0, as
utf8proc 2.8 has), else from Python itself; str.lower() is Python's in both cases.
"""

try:
    import unicodedata2 as unicodedata
except ImportError:
    import unicodedata

IDEOGRAPHS = [
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
]
LONGEST_WORD = 200


def cleaned(text):
    """Rule 1. U+0000, U+FFFD, control and format characters vanish and join what they stood
    between; white space becomes a blank."""
    for c in text:
        if c in " \t\n\r" or unicodedata.category(c) == "Zs":
            yield " "
        elif c not in "\0\ufffd" and unicodedata.category(c) not in ("Cc", "Cf"):
            yield c


def spaced(characters):
    """Rule 2. A Chinese ideograph stands alone; kana and Hangul do not."""
    for c in characters:
        yield f" {c} " if any(first <= ord(c) <= last for first, last in IDEOGRAPHS) else c


def without_accents(word):
    """Rule 3, for uncased models: the word's lower case (with its final sigma), decomposed, without
    nonspacing marks."""
    return "".join(
        c for c in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(c) != "Mn"
    )


def is_punctuation(c):
    """Rule 4. All of ASCII that is no letter, digit, blank or control counts, `$` and `~` too; of
    the rest what Unicode says."""
    return (
        c.isascii()
        and c.isprintable()
        and not c.isalnum()
        and c != " "
        or unicodedata.category(c).startswith("P")
    )


def words(text, lower_case):
    """The words of a text: split at white space (of which U+2028 and U+2029 are left), then before
    and after each punctuation character."""
    for word in "".join(spaced(cleaned(text))).split():
        if lower_case:
            word = without_accents(word)
        begin = 0
        for end, c in enumerate(word):
            if is_punctuation(c):
                yield from filter(None, (word[begin:end], c))
                begin = end + 1
        if begin < len(word):
            yield word[begin:]


def pieces(word, vocabulary):
    """Rule 5. The longest piece first; [UNK] as a whole where it does not come out even, or where
    the word has more than 200 characters."""
    found, begin = [], 0
    while begin < len(word) <= LONGEST_WORD:
        for end in range(len(word), begin, -1):
            piece = ("##" if begin else "") + word[begin:end]
            if piece in vocabulary:
                break
        else:
            return ["[UNK]"]
        found.append(piece)
        begin = end
    return found if len(word) <= LONGEST_WORD else ["[UNK]"]


def load_vocabulary(path):
    """Rule 6. A token a line without the white space around it; its id is the line's number; of
    equal ones the last counts."""
    with open(path, encoding="utf-8") as file:
        return {line.strip(): number for number, line in enumerate(file)}


class Tokenizer:
    def __init__(self, vocabulary_file, lower_case):
        self.vocabulary, self.lower_case, self.known = (
            load_vocabulary(vocabulary_file),
            lower_case,
            {},
        )

    def ids(self, text):
        """Rule 7: no token is looked for in the text as it is written; "[MASK]" is three words. No
        rule looks past a blank, so what stands between two is done once."""
        found = []
        for part in text.split(" "):
            if part not in self.known:
                self.known[part] = [
                    self.vocabulary[piece]
                    for word in words(part, self.lower_case)
                    for piece in pieces(word, self.vocabulary)
                ]
            found += self.known[part]
        return found


def truncate_pair(first, second, limit):
    """While both together are too long, the longer one loses its last token; of equally long ones
    the second does."""
    first, second = list(first), list(second)
    while len(first) + len(second) > limit:
        (first if len(first) > len(second) else second).pop()
    return first, second


def document_spans(length, most, doc_stride):
    """The (begin, end) of run_squad.py's windows: each begins doc_stride after the one before,
    until one reaches the end."""
    spans, begin = [], 0
    while True:
        end = begin + min(most, length - begin)
        spans.append((begin, end))
        if end >= length:
            return spans
        begin += min(end - begin, doc_stride)
