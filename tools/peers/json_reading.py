"""The time that Python's json takes to read a JSONL file, each line with json.loads; the best of some runs.

    python json_reading.py --input pairs.jsonl
"""

import argparse
import json
import time


def read(path):
    with open(path, "rb") as file:
        return sum(len(json.loads(line)) > 0 for line in file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()

    seconds = []
    for _ in range(arguments.runs):
        start = time.perf_counter()
        lines = read(arguments.input)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"name": "json_reading", "library": "python json", "lines": lines, "seconds": min(seconds)}))


if __name__ == "__main__":
    main()
