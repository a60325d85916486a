"""Parquet in both directions: pyarrow writes random tables in all its ways, parquet-copy reads them and writes what it
read, and pyarrow finds the same in both files."""

import random
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from make_parquet_files import columns_of_all_types, with_nulls  # noqa: E402

OURS = ("none", "snappy", "gzip", "zstandard", "lz4")
ENCODINGS = {
    "DELTA_BINARY_PACKED": {"int32", "int64", "uint32", "date", "timestamp_us"},
    "DELTA_LENGTH_BYTE_ARRAY": {"string", "binary"},
    "DELTA_BYTE_ARRAY": {"string", "binary", "fixed"},
    "BYTE_STREAM_SPLIT": {"float", "double", "int32", "int64", "fixed"},
}


def lists_of(column, chooser, numbers):
    """Lists of the values of a column: some null, some empty."""
    column = column.combine_chunks()
    lengths = [int(numbers.integers(0, 5)) if chooser.random() < 0.9 else 40 for _ in range(len(column))]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    elements = column.take(pa.array(numbers.integers(0, len(column), starts[-1])))
    # Where a list starts at null, it is null; its elements are left out.
    offsets = pa.array(with_nulls(starts[:-1].tolist(), numbers, 0.1) + [int(starts[-1])], pa.int32())
    return pa.ListArray.from_arrays(offsets, elements)


def random_table(chooser, numbers):
    rows = chooser.choice([1, 7, 100, 1000, 5000, 20000])
    share = chooser.choice([0, 0.01, 0.5, 1])
    table = columns_of_all_types(rows, numbers, share)
    table = table.select(sorted(chooser.sample(table.column_names, chooser.randint(1, 9))))
    # Few different values, in runs of any length.
    for name in list(table.column_names):
        if chooser.random() < 0.4:
            picks = np.repeat(numbers.integers(0, min(rows, 20), rows), numbers.integers(1, 40, rows))[:rows]
            table = table.append_column(f"{name}_few", table[name].take(pa.array(picks)))
    if chooser.random() < 0.5 and rows <= 5000:
        for name in chooser.sample(table.column_names, min(2, len(table.column_names))):
            if not pa.types.is_float16(table[name].type):
                table = table.append_column(f"{name}_lists", lists_of(table[name], chooser, numbers))
    fields = [f if table[f.name].null_count or chooser.random() < 0.5 else f.with_nullable(False) for f in table.schema]
    return table.cast(pa.schema(fields))


def random_options(chooser, table):
    options = {
        "compression": chooser.choice(["none", "snappy", "gzip", "zstd", "lz4"]),
        "data_page_version": chooser.choice(["1.0", "2.0"]),
        "version": chooser.choice(["1.0", "2.4", "2.6"]) if "uint32" not in str(table.schema) else "2.6",
        "row_group_size": chooser.choice([13, 1000, 10**6]) if table.num_rows <= 5000 else 7001,
        "data_page_size": chooser.choice([100, 5000, 2**20]),
        "write_page_checksum": chooser.random() < 0.5,
        "store_decimal_as_integer": chooser.random() < 0.5,
        "store_schema": False,
    }
    if options["version"] != "2.6":
        # Without nanoseconds the format has none to compare.
        options["coerce_timestamps"] = "us"
        options["allow_truncated_timestamps"] = True
    if chooser.random() < 0.5:
        options["use_dictionary"] = False
        encodings = {}
        for name in table.column_names:
            fitting = [encoding for encoding, names in ENCODINGS.items() if name in names]
            if fitting and chooser.random() < 0.7:
                encodings[name] = chooser.choice(fitting)
        if encodings:
            options["column_encoding"] = encodings
    elif chooser.random() < 0.3:
        options["dictionary_pagesize_limit"] = 300
    return options


def write_random_files(directory, count):
    """Returns what each was written with, for what is said of a failure."""
    notes = {}
    for seed in range(count):
        chooser, numbers = random.Random(seed), np.random.default_rng(seed)
        table = random_table(chooser, numbers)
        options = random_options(chooser, table)
        pq.write_table(table, directory / f"{seed:03}.parquet", **options)
        notes[f"{seed:03}.parquet"] = options
    return notes


def same(original, copy, note):
    """Compares two files by what pyarrow reads in them. With checksums, which our writer has."""
    expected = pq.read_table(original)
    found = pq.read_table(copy, page_checksum_verification=True)
    assert found.column_names == expected.column_names, f"{copy.name}: other columns, {note}"
    for name in expected.column_names:
        left, right = expected[name].combine_chunks(), found[name].combine_chunks()
        if pa.types.is_float16(left.type):
            left = left.cast(pa.float32())
        left = left.cast(right.type) if left.type != right.type else left
        assert left.equals(right), f"{copy.name}, column {name} ({left.type}) differs: {note}"
    return expected.num_rows


def check(tally, binaries, directory, count=60):
    source = directory / "parquet"
    source.mkdir()
    notes = write_random_files(source, count)
    for compression in OURS:
        target = directory / f"parquet-{compression}"
        target.mkdir()

        def copy():
            command = [str(binaries / "parquet-copy"), str(source), str(target), compression]
            result = subprocess.run(command, capture_output=True, text=True)
            assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
            return target

        if not tally.check(f"parquet-copy reads {count} files of pyarrow and writes them with {compression}", copy):
            continue
        tally.check(
            f"pyarrow finds the same in the files with {compression}",
            lambda: [same(source / name, target / name, note) for name, note in notes.items()],
        )
