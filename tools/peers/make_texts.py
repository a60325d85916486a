"""Writes the data of the tokenizing benchmark: a text a line, and the vocabulary of a BERT tokenizer learnt from them.

The words, with their punctuation, are drawn from the bundled texts as often as they are there. The same seed gives the
same texts.

    python make_texts.py --output DIRECTORY    # writes texts.tsv and vocab.txt
"""

import argparse
import json
import random
from pathlib import Path

from tokenizers.implementations import BertWordPieceTokenizer

SAMPLE = Path(__file__).resolve().parents[2] / "Sources/TextClassification/Resources/classification_test.json"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--texts", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()

    chooser = random.Random(arguments.seed)
    words = [word for sample in json.loads(SAMPLE.read_text())["samples"] for word in sample["text"].split()]
    texts = [" ".join(chooser.choices(words, k=chooser.randrange(5, 30))) for _ in range(arguments.texts)]
    tokenizer = BertWordPieceTokenizer()
    tokenizer.train_from_iterator(texts, show_progress=False)
    arguments.output.mkdir(parents=True, exist_ok=True)
    tokenizer.save_model(str(arguments.output))
    # Written last, this file says that both are there.
    (arguments.output / "texts.tsv").write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


if __name__ == "__main__":
    main()
