"""PyTorch's speed on the matrix products that `ranker-bench` measures, by the same names; a JSON object a line.

    python torch_matmul.py
"""

import json
import time

import torch

# name, rows, columns, depth, whether a and b are stored transposed, batch: the list in MatrixBench.swift.
SHAPES = [
    ("2048x384x384", 2048, 384, 384, False, True, 1),
    ("2048x1536x384", 2048, 1536, 384, False, True, 1),
    ("2048x384x1536", 2048, 384, 1536, False, True, 1),
    ("1024x1024x1024", 1024, 1024, 1024, False, True, 1),
    ("256x128x128", 256, 128, 128, False, True, 1),
    ("64x256x1542", 64, 256, 1542, False, True, 1),
    ("64x256x256", 64, 256, 256, False, True, 1),
    ("weight gradient 256x1542x64", 256, 1542, 64, True, False, 1),
    ("weight gradient 256x256x64", 256, 256, 64, True, False, 1),
    ("input gradient 64x256x256", 64, 256, 256, False, False, 1),
    ("weight gradient 384x1536x2048", 384, 1536, 2048, True, False, 1),
    ("input gradient 2048x384x1536", 2048, 384, 1536, False, False, 1),
    ("attention scores 192 of 128x128x32", 128, 128, 32, False, True, 192),
    ("attention values 192 of 128x32x128", 128, 32, 128, False, False, 192),
    ("one item 1x256x1542", 1, 256, 1542, False, True, 1),
    ("score head 64x1x256", 64, 1, 256, False, True, 1),
    ("10000 items 10000x256x1542", 10000, 256, 1542, False, True, 1),
]


def main():
    torch.set_num_threads(2)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, rows, columns, depth, a_transposed, b_transposed, batch in SHAPES:
            lead = (batch,) if batch > 1 else ()
            a = torch.randn(*lead, depth, rows) if a_transposed else torch.randn(*lead, rows, depth)
            b = torch.randn(*lead, columns, depth) if b_transposed else torch.randn(*lead, depth, columns)
            left = a.mT if a_transposed else a
            right = b.mT if b_transposed else b
            out = torch.empty(*lead, rows, columns)
            multiply = torch.bmm if batch > 1 else torch.mm
            multiply(left, right, out=out)
            times = []
            end = time.perf_counter() + 0.3
            while time.perf_counter() < end or len(times) < 5:
                start = time.perf_counter()
                multiply(left, right, out=out)
                times.append(time.perf_counter() - start)
            times.sort()
            work = 2e-9 * batch * rows * columns * depth
            print(json.dumps({
                "name": f"matmul {name}",
                "library": f"PyTorch {torch.__version__}",
                "gflops": work / times[0],
                "median_gflops": work / times[len(times) // 2],
                "seconds": times[0],
            }))


if __name__ == "__main__":
    main()
