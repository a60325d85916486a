"""Times `tokenizers` on the texts of a file, a text a line up to the first tab, truncated to 128 tokens.

    python tokenizers_speed.py --texts train.tsv --vocabulary vocab.txt [--runs 5]

The best of the runs, on one thread and on two, with offsets (`encode_batch`) and without (`encode_batch_fast`).
"""

import argparse
import json
import os
import subprocess
import sys
import time


def measure(arguments):
    import tokenizers
    from tokenizers.implementations import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(arguments.vocabulary)
    tokenizer.enable_truncation(128)
    with open(arguments.texts, encoding="utf-8", newline="\n") as file:
        texts = [line.rstrip("\n").split("\t")[0] for line in file]
    for name, encode in (("encode_batch", tokenizer.encode_batch), ("fast", tokenizer._tokenizer.encode_batch_fast)):
        seconds = []
        for _ in range(arguments.runs):
            start = time.perf_counter()
            encodings = encode(texts)
            seconds.append(time.perf_counter() - start)
        threads = os.environ["RAYON_NUM_THREADS"]
        print(json.dumps({
            "name": f"tokenizing, {threads} thread{'' if threads == '1' else 's'}, {name}",
            "library": f"tokenizers {tokenizers.__version__}",
            "texts": len(texts),
            "tokens": sum(len(encoding.ids) for encoding in encodings),
            "seconds": min(seconds),
        }))  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", required=True)
    parser.add_argument("--vocabulary", required=True)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    if "RAYON_NUM_THREADS" in os.environ:
        return measure(arguments)
    # The library's threads are set before it is loaded.
    for threads in ("1", "2"):
        environment = os.environ | {"RAYON_NUM_THREADS": threads, "TOKENIZERS_PARALLELISM": "true"}
        subprocess.run([sys.executable, __file__, *sys.argv[1:]], check=True, env=environment)


if __name__ == "__main__":
    main()
