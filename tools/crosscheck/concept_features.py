"""The features of a text as the page of ConceptDetection describes them: the example for Python, and what the
cross-check compares with.

    python concept_features.py BITS FILE…    # prints the ids of each note of JSON lines, as concept-features does
"""

import json
import sys
import unicodedata

PLAIN = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i"}


def folded(character):
    """What a character becomes; None where it is no part of a word."""
    if unicodedata.category(character)[0] not in "LMN":
        return None
    decomposed = unicodedata.normalize("NFD", character.lower())
    return "".join(PLAIN.get(c, c) for c in decomposed if not "\u0300" <= c <= "\u036f")


def words(text):
    word, found = "", []
    for character in [*text, " "]:
        part = folded(character)
        if part is None:
            if word:
                found.append(word)
            word = ""
        else:
            word += part
    return found


def fnv1a(data):
    value = 2166136261
    for byte in data:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def features(text, bits=16):
    """For each word of the text its features."""

    def row(kind, feature):
        value = fnv1a(bytes([kind]) + feature.encode())
        return ((value >> bits) ^ value) % (1 << bits) + 1

    found, previous = [], None
    for word in words(text):
        ids = [row(1, word)]
        if previous is not None:
            ids.append(row(2, previous + " " + word))
        marked = "<" + word + ">"
        for start in range(len(marked)):
            for length in (3, 4, 5):
                if start + length <= len(marked):
                    ids.append(row(3, marked[start : start + length]))
        found.append(ids[:128])
        previous = word
    return found


def padded(texts, bits=16):
    """The graph's input for some texts: [notes, words, features], padded with 0."""
    found = [features(text, bits) for text in texts]
    most_words = max(1, *(len(words) for words in found))
    most_features = max((len(ids) for words in found for ids in words), default=1)
    return [
        [ids + [0] * (most_features - len(ids)) for ids in words + [[]] * (most_words - len(words))] for words in found
    ]


if __name__ == "__main__":
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            for line in file:
                print(*(id for word in features(json.loads(line)["text"], int(sys.argv[1])) for id in word))
