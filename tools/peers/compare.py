"""Does the same work here and in the peers, in turns, and prints the times and their ratios.

    python compare.py --binaries .build/release [--rounds 3] [--json FILE]

Of each measurement the fastest round counts: on a machine that does other things too, what is slower is noise.
`ranker-bench --json --pairs FILE --model DIRECTORY` prints {"rows": [{"name", "seconds", …}]} with the names in
COMPARISONS, and each matrix product as "matmul NAME" with its "gflops" and "openblas_gflops" as well.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / ".cache/bench"
EPOCHS = 10

# name of a row, what it is, the largest ratio of our time to the peer's that we promise
COMPARISONS = [
    ("training_step", "training step: 1,542 features, hidden 256, batch 32, Adam", 1 / 6),
    ("json_reading", "reading 2,000 pairs of 1,536-wide embeddings", 1 / 5),
    ("train_pairwise", f"ranker train pairwise on them, {EPOCHS} epochs, the whole command", 1 / 5),
    ("score_10000", "scoring 10,000 items with the exported scorer", 1),
    ("score_1", "scoring one item", 1),
]
HELP_SECONDS = 0.05
OPENBLAS_FACTOR = 1.5


def rows_of(command):
    """The JSON rows that a command prints: one object with "rows", or one object a line."""
    output = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout
    try:
        parsed = json.loads(output)
        return parsed["rows"] if "rows" in parsed else [parsed]
    except json.JSONDecodeError:
        return [json.loads(line) for line in output.splitlines()]


def seconds_of(command):
    start = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return time.perf_counter() - start


class Fastest:
    """The fastest of several rounds, by name."""

    def __init__(self):
        self.rows = {}

    def add(self, rows):
        for row in rows:
            known = self.rows.get(row["name"])
            if known is None or row["seconds"] < known["seconds"]:
                self.rows[row["name"]] = row

    def __getitem__(self, name):
        return self.rows[name]


def measure(binaries, rounds):
    pairs, model = DATA / "pairs.jsonl", DATA / "model"
    DATA.mkdir(parents=True, exist_ok=True)
    if not pairs.exists():
        subprocess.run([sys.executable, HERE / "make_pairs.py", "--output", DATA / "pairs.part"], check=True)
        (DATA / "pairs.part").rename(pairs)

    train_ours = [binaries / "ranker", "train", "pairwise", "--input", pairs, "--output", model,
                  "--epochs", EPOCHS, "--quiet"]
    train_theirs = [sys.executable, HERE / "torch_pairwise.py", "--input", pairs, "--epochs", EPOCHS]
    scorer = model / "pairwise_ranker_scorer.onnx"

    ours, theirs = Fastest(), Fastest()
    for number in range(1, rounds + 1):
        print(f"round {number} of {rounds}", file=sys.stderr)
        shutil.rmtree(model, ignore_errors=True)
        ours.add([{"name": "train_pairwise", "seconds": seconds_of(train_ours)}])
        start = time.perf_counter()
        step = rows_of(train_theirs)
        whole = time.perf_counter() - start
        theirs.add([*step, {"name": "train_pairwise", "library": step[0]["library"], "seconds": whole}])

        ours.add(rows_of([binaries / "ranker-bench", "--json", "--pairs", pairs, "--model", model]))
        theirs.add(rows_of([sys.executable, HERE / "json_reading.py", "--input", pairs, "--runs", 1]))
        theirs.add(rows_of([sys.executable, HERE / "torch_matmul.py"]))
        for items, runs in ((10_000, 20), (1, 2000)):
            [row] = rows_of([sys.executable, HERE / "ort_latency.py", scorer, f"batch={items}", "--runs", runs])
            theirs.add([{**row, "name": f"score_{items}"}])
        ours.add([{"name": "help", "seconds": seconds_of([binaries / "ranker", "--help"])}])
    return ours, theirs


def readable(seconds):
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def verdict(holds):
    return "holds" if holds else "MISSED"


def print_tables(ours, theirs):
    print(f"{'work':<66}{'here':>11}{'peer':>11}{'ratio':>8}{'bar':>7}  verdict  peer")
    for name, title, bar in COMPARISONS:
        here, there = ours[name]["seconds"], theirs[name]["seconds"]
        print(
            f"{title:<66}{readable(here):>11}{readable(there):>11}{here / there:>8.3f}{bar:>7.3f}"
            f"  {verdict(here <= bar * there):<7}  {theirs[name]['library']}"
        )
    here = ours["help"]["seconds"]
    print(f"{'ranker --help':<66}{readable(here):>11}{'':>11}{'':>8}{readable(HELP_SECONDS):>9}"
          f"{verdict(here < HELP_SECONDS):>7}")

    print(f"\n{'matrix product, GFLOP/s':<50}{'here':>8}{'OpenBLAS':>10}{'times':>7}{'PyTorch':>9}{'times':>7}")
    for name, row in ours.rows.items():
        if not name.startswith("matmul "):
            continue
        here, blas, torch = row["gflops"], row["openblas_gflops"], theirs[name]["gflops"]
        holds = here >= OPENBLAS_FACTOR * blas and here >= torch
        print(f"{name[7:]:<50}{here:>8.1f}{blas:>10.1f}{here / blas:>7.2f}{torch:>9.1f}{here / torch:>7.2f}"
              f"  {verdict(holds)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", required=True, type=Path, help="the directory of ranker and ranker-bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write all rows to this file as well")
    arguments = parser.parse_args()

    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"The load is {load:.1f} already: other work is running, and the ratios will tell of it.", file=sys.stderr)
    ours, theirs = measure(arguments.binaries.resolve(), arguments.rounds)
    print_tables(ours, theirs)
    if arguments.json:
        both = {"ours": list(ours.rows.values()), "peers": list(theirs.rows.values())}
        arguments.json.write_text(json.dumps(both, indent=2) + "\n")


if __name__ == "__main__":
    main()
