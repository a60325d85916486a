"""Does the same work here and in the peers, in turns, and prints the times and their ratios.

    python compare.py --binaries .build/release [--rounds 3] [--json FILE]

Of each measurement the best round counts: on a machine that does other things too, what is slower is noise.
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
# ranker-bench writes it where it is missing.
CLICKSTREAM = DATA / "clickstream.parquet"
LONG_TAIL = DATA / "long_tail.csv"
# ranker-bench writes it.
ENCODER = DATA / "encoder.onnx"
TEXTS = DATA / "texts"
EPOCHS = 10

# name of the measurement, the largest ratio of our time to the peer's that we promise
COMPARISONS = [
    ("training step", 1 / 6),
    ("reading pairs", 1 / 5),
    ("reading a clickstream", 1.5),
    ("ranker train pairwise", 1 / 5),
    ("scoring 10,000 items", 1),
    ("scoring one item", 1),
    ("ncf training step", 1 / 10),
    # The exported graph one pair at a time, and with all of a user's pairs in one run.
    ("ncf user of all users", 1 / 10),
    ("ncf user, one run", 1),
    # Each of our solvers beside implicit's of the same kind; conjugate gradient is the faster of implicit's two.
    ("als fit conjugate-gradient", 1 / 5),
    ("als fit cholesky", 1 / 5),
    ("tokenizing, 1 thread", 1),
    ("tokenizing, 2 threads", 1),
    ("encoder training step", 0.6),
    ("encoder one text, p95", 1),
    ("encoder 16 texts", 1),
]
ENCODER_MEMORY = "encoder training memory"
HELP = "ranker --help"
HELP_SECONDS = 0.05
OPENBLAS_FACTOR = 1.5
SECONDS = {"s": 1, "ms": 1e-3, "µs": 1e-6}


class Best:
    """The best of several rounds, by name: a time in seconds, or a rate in GFLOP/s."""

    def __init__(self):
        self.values = {}
        self.details = {}

    def add_time(self, name, seconds, detail=""):
        self.values[name] = min(seconds, self.values.get(name, seconds))
        self.details[name] = detail

    def add_rate(self, name, rate, detail=""):
        self.values[name] = max(rate, self.values.get(name, rate))
        self.details[name] = detail

    def __getitem__(self, name):
        return self.values[name]


def output_of(command):
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def peer(script, *arguments):
    """The JSON lines that a peer's script prints."""
    return [json.loads(line) for line in output_of([sys.executable, HERE / script, *arguments]).splitlines()]


def prepare(binaries):
    """The pairs that both read, an exported scorer of their width, and an exported NCF graph. Returns the paths."""
    pairs, model = DATA / "pairs.jsonl", DATA / "model"
    DATA.mkdir(parents=True, exist_ok=True)
    for data, script in ((pairs, "make_pairs.py"), (LONG_TAIL, "make_interactions.py")):
        if not data.exists():
            unfinished = DATA / "unfinished.part"
            subprocess.run([sys.executable, HERE / script, "--output", unfinished], check=True)
            unfinished.rename(data)
    if not (TEXTS / "texts.tsv").exists():
        subprocess.run([sys.executable, HERE / "make_texts.py", "--output", TEXTS], check=True)
    shutil.rmtree(model, ignore_errors=True)
    output_of([binaries / "ranker", "train", "pairwise", "--input", pairs, "--output", model, "--epochs", 1, "--quiet"])
    # As many users and items as ranker-bench has; what the network has learnt does not change its time.
    interactions = DATA / "interactions.csv"
    lines = [f"{user},{(user * 7 + step) % 3000}" for user in range(6000) for step in range(2)]
    interactions.write_text("user_id,item_id\n" + "\n".join(lines) + "\n")
    output_of([
        binaries / "ranker", "train", "ncf", "--data-path", interactions, "--output-path", model / "ncf.pt",
        "--epochs", 1, "--validation-split", 0, "--quiet",
    ])
    return pairs, model / "pairwise_ranker_scorer.onnx", model / "ncf.onnx"


def measure_ours(ours, binaries, pairs):
    command = [binaries / "ranker-bench", "--json", "--pairs", pairs, "--clickstream", CLICKSTREAM]
    command += ["--interactions", LONG_TAIL, "--texts", TEXTS / "texts.tsv", "--encoder", TEXTS]
    rows = json.loads(output_of(command))["rows"]
    # In a process of its own, whose memory is the training's.
    command = [binaries / "ranker-bench", "--json", "--only", "encoder", "--encoder-graph", ENCODER]
    for row in [row for row in rows if not row["name"].startswith("encoder")] + json.loads(output_of(command))["rows"]:
        if row["unit"] in SECONDS:
            ours.add_time(row["name"], row["value"] * SECONDS[row["unit"]], row["detail"])
        else:
            ours.add_rate(row["name"], row["value"], row["detail"])
    ours.add_time("ncf user, one run", ours["ncf user of all users"])


def measure_peers(theirs, pairs, scorer, ncf):
    start = time.perf_counter()
    [training] = peer("torch_pairwise.py", "--input", pairs, "--epochs", EPOCHS)
    theirs.add_time("ranker train pairwise", time.perf_counter() - start, training["library"])
    theirs.add_time("training step", training["seconds"], training["library"])
    [reading] = peer("json_reading.py", "--input", pairs, "--runs", 1)
    theirs.add_time("reading pairs", reading["seconds"], reading["library"])
    [clickstream] = peer("parquet_reading.py", "--input", CLICKSTREAM)
    theirs.add_time("reading a clickstream", clickstream["seconds"], clickstream["library"])
    for name, items, runs in (("scoring 10,000 items", 10_000, 20), ("scoring one item", 1, 2000)):
        [latency] = peer("ort_latency.py", scorer, f"batch={items}", "--runs", runs)
        theirs.add_time(name, latency["seconds"], latency["library"])
    [step] = peer("torch_ncf.py")
    theirs.add_time("ncf training step", step["seconds"], step["library"])
    [pair] = peer("ort_latency.py", ncf, "batch=1", "--high", 3000, "--runs", 2000)
    theirs.add_time("ncf user of all users", 3000 * pair["seconds"], pair["library"])
    [user] = peer("ort_latency.py", ncf, "batch=3000", "--high", 3000)
    theirs.add_time("ncf user, one run", user["seconds"], user["library"])
    for fit in peer("implicit_als.py", "--csv", LONG_TAIL):
        theirs.add_time(fit["name"], fit["seconds"], fit["library"])
    # With offsets and without: of each number of threads the faster one counts.
    for row in peer("tokenizers_speed.py", "--texts", TEXTS / "texts.tsv", "--vocabulary", TEXTS / "vocab.txt"):
        theirs.add_time(row["name"].rpartition(",")[0], row["seconds"], row["library"])
    for row in peer("torch_encoder.py"):
        if "peak_mb" in row:
            theirs.add_rate(ENCODER_MEMORY, row["peak_mb"], row["library"])
            theirs.add_time(row["name"], row["seconds"], row["library"])
    for name, batch, runs in (("encoder one text, p95", 1, 200), ("encoder 16 texts", 16, 20)):
        dimensions = (f"batch={batch}", "sequence=128")
        [latency] = peer("ort_latency.py", ENCODER, *dimensions, "--high", 30522, "--runs", runs)
        seconds = latency["p95_seconds"] if name.endswith("p95") else latency["seconds"]
        theirs.add_time(name, seconds, latency["library"])
    for product in peer("torch_matmul.py"):
        theirs.add_rate(product["name"], product["median_gflops"], product["library"])


def readable(seconds):
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def verdict(holds):
    return "holds" if holds else "MISSED"


def print_times(ours, theirs):
    print(f"{'work':<27}{'here':>11}{'peer':>11}{'ratio':>8}{'bar':>9}  verdict  peer")
    for name, bar in COMPARISONS:
        here, there = ours[name], theirs[name]
        print(
            f"{name:<27}{readable(here):>11}{readable(there):>11}{here / there:>8.3f}{bar:>9.3f}"
            f"  {verdict(here <= bar * there):<7}  {theirs.details[name]}"
        )
    here = ours[HELP]
    print(
        f"{HELP:<27}{readable(here):>11}{'':>11}{'':>8}{readable(HELP_SECONDS):>9}  {verdict(here < HELP_SECONDS)}"
    )


def print_memory(ours, theirs):
    here, there = ours[ENCODER_MEMORY], theirs[ENCODER_MEMORY]
    print(
        f"{ENCODER_MEMORY:<24}{f'{here:.0f} MB':>11}{f'{there:.0f} MB':>11}{here / there:>8.3f}{1:>9.3f}"
        f"  {verdict(here <= there):<7}  {theirs.details[ENCODER_MEMORY]}"
    )


def print_products(ours, theirs):
    """Ours are the rows "matmul NAME ENGINE": this processor's kernels, and OpenBLAS in the ways it can be called."""
    print(f"\n{'matrix product, GFLOP/s':<46}{'here':>8}{'OpenBLAS':>10}{'ratio':>7}{'PyTorch':>9}{'ratio':>7}")
    for name, torch in theirs.values.items():
        if not name.startswith("matmul "):
            continue
        engines = {n.removeprefix(f"{name} "): v for n, v in ours.values.items() if n.startswith(f"{name} ")}
        blas = max(rate for engine, rate in engines.items() if engine.startswith("OpenBLAS"))
        here = max(rate for engine, rate in engines.items() if not engine.startswith("OpenBLAS"))
        holds = here >= OPENBLAS_FACTOR * blas and here >= torch
        print(
            f"{name[7:]:<46}{here:>8.1f}{blas:>10.1f}{here / blas:>7.2f}{torch:>9.1f}{here / torch:>7.2f}"
            f"  {verdict(holds)}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", required=True, type=Path, help="the directory of ranker and ranker-bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write all rows to this file as well")
    arguments = parser.parse_args()

    load = os.getloadavg()[0]
    binaries = arguments.binaries.resolve()
    pairs, scorer, ncf = prepare(binaries)
    ours, theirs = Best(), Best()
    for number in range(1, arguments.rounds + 1):
        print(f"round {number} of {arguments.rounds}", file=sys.stderr)
        measure_ours(ours, binaries, pairs)
        measure_peers(theirs, pairs, scorer, ncf)
    print_times(ours, theirs)
    print_memory(ours, theirs)
    print_products(ours, theirs)
    if load > 0.5:
        print(f"\nOther work ran here (the load was {load:.1f} at the start): measure again on an idle machine.")
    if arguments.json:
        both = {"ours": ours.values, "peers": theirs.values, "libraries": theirs.details}
        arguments.json.write_text(json.dumps(both, indent=2) + "\n")


if __name__ == "__main__":
    main()
