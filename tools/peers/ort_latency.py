"""onnxruntime's time for one run of a graph on random inputs: median and 95th percentile.

Symbolic dimensions are given as NAME=VALUE. Integer inputs are drawn below --high; inputs whose name holds "mask" are
ones and those whose name holds "type" zeros, as text encoders want them.

    python ort_latency.py pairwise_ranker_scorer.onnx batch=10000
"""

import argparse
import json
import time

import numpy as np
import onnxruntime


def random_input(description, sizes, high, generator):
    shape = [d if isinstance(d, int) else sizes[d] for d in description.shape]
    if "mask" in description.name:
        return np.ones(shape, np.int64)
    if "type" in description.name:
        return np.zeros(shape, np.int64)
    if "int64" in description.type:
        return generator.integers(0, high, shape)
    return generator.normal(size=shape).astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("dimensions", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--high", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()

    sizes = {name: int(value) for name, value in (d.split("=") for d in arguments.dimensions)}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(0)
    feed = {d.name: random_input(d, sizes, arguments.high, generator) for d in session.get_inputs()}

    for _ in range(10):
        session.run(None, feed)
    seconds = []
    for _ in range(arguments.runs):
        start = time.perf_counter()
        session.run(None, feed)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({
        "name": "latency",
        "library": f"onnxruntime {onnxruntime.__version__}",
        "model": arguments.model,
        "dimensions": sizes,
        "seconds": float(np.percentile(seconds, 50)),
        "p95_seconds": float(np.percentile(seconds, 95)),
    }))


if __name__ == "__main__":
    main()
