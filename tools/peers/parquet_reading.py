"""The time that pyarrow takes to read a Parquet file with read_table, as it is called by default; the best of some runs.

    python parquet_reading.py --input clickstream.parquet
"""

import argparse
import json
import time

import pyarrow
import pyarrow.parquet


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()

    seconds = []
    for _ in range(arguments.runs):
        start = time.perf_counter()
        table = pyarrow.parquet.read_table(arguments.input)
        seconds.append(time.perf_counter() - start)
        rows = table.num_rows
        del table
    library = f"pyarrow {pyarrow.__version__}, {pyarrow.cpu_count()} threads"
    print(json.dumps({"name": "parquet_reading", "library": library, "rows": rows, "seconds": min(seconds)}))


if __name__ == "__main__":
    main()
