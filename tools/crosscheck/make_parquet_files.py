#!/usr/bin/env python3
"""Writes the Parquet files that ParquetTests reads, and what pyarrow says is in them.

    python tools/crosscheck/make_parquet_files.py Tests/ParquetTests/Resources

The files that are checked in were made with pyarrow 26.0.1. Beside them, expected.json has for each file the columns as
text: integers (also of dates, times, timestamps and unscaled decimals) in decimal, floats as the integer of their bits,
bytes in hexadecimal, nulls as null, lists as lists.
"""

import argparse
import datetime
import decimal
import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def canonical(array, nanoseconds=False):
    """A column of a table as text, the same as the Swift tests make of theirs."""
    kind = array.type
    if pa.types.is_list(kind):
        return [
            None if value is None else canonical(pa.array(value, kind.value_type)) for value in array.to_pylist()
        ]
    if pa.types.is_timestamp(kind):
        if nanoseconds:
            array = array.cast(pa.timestamp("ns"))
        array = array.cast(pa.int64())
    elif pa.types.is_date(kind) or pa.types.is_time32(kind):
        array = array.cast(pa.int32())
    elif pa.types.is_time64(kind):
        array = array.cast(pa.int64())
    return [None if value is None else text(value, kind) for value in array.to_pylist()]


def text(value, kind):
    if isinstance(value, bool):
        return "true" if value else "false"
    if pa.types.is_float64(kind):
        return str(struct.unpack("<Q", struct.pack("<d", value))[0])
    if pa.types.is_floating(kind):
        return str(struct.unpack("<I", struct.pack("<f", float(value)))[0])
    if isinstance(value, decimal.Decimal):
        return str(int(value.scaleb(kind.scale)))
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def with_nulls(values, random, share=0.2):
    return [None if random.random() < share else value for value in values]


def columns_of_all_types(rows, random, share=0.2):
    """A column of each type that pyarrow writes flat, with the type's extremes among the values."""
    kinds = {f"{sign}int{bits}": (sign, bits) for bits in (8, 16, 32, 64) for sign in ("", "u")}

    def integers(sign, bits):
        low, high = (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        drawn = random.integers(low, high, rows, np.uint64 if sign else np.int64, endpoint=True)
        values = [low, high, 0, 1] + [int(value) for value in drawn]
        return pa.array(with_nulls(values[:rows], random, share), getattr(pa, f"{sign}int{bits}")())

    def unscaled(digits):
        return decimal.Decimal(int(random.integers(-(10**digits) + 1, 10**digits)))

    def made(kind, one):
        return pa.array(with_nulls([one(i) for i in range(rows)], random, share), kind)

    day = datetime.date(1970, 1, 1)
    texts = ["", "a", "naïve", "日本語", "x" * 40, "fifteen bytes!!", "sixteen bytes!!!"]
    columns = {name: integers(*kind) for name, kind in kinds.items()}
    columns |= {
        "boolean": made(pa.bool_(), lambda i: bool(random.integers(2))),
        "float16": made(pa.float16(), lambda i: np.float16([1.5, -0.0, 65504, 6e-8, np.inf][i % 5])),
        "float": made(pa.float32(), lambda i: float(np.float32(random.normal()))),
        "double": made(pa.float64(), lambda i: [np.inf, -0.0, 5e-324][i] if i < 3 else random.normal()),
        "string": made(pa.string(), lambda i: texts[i % len(texts)] + str(i // 9)),
        "binary": made(pa.binary(), lambda i: bytes(random.integers(0, 256, i % 9, dtype=np.uint8))),
        "fixed": made(pa.binary(5), lambda i: bytes(random.integers(0, 256, 5, dtype=np.uint8))),
        "date": made(pa.date32(), lambda i: day + datetime.timedelta(int(random.integers(-9000, 30000)))),
        "time_ms": made(pa.time32("ms"), lambda i: int(random.integers(86_400_000))),
        "time_us": made(pa.time64("us"), lambda i: int(random.integers(86_400_000_000))),
        "decimal9": made(pa.decimal128(9, 2), lambda i: unscaled(9).scaleb(-2)),
        "decimal18": made(pa.decimal128(18, 4), lambda i: unscaled(18).scaleb(-4)),
    }
    for unit in ("ms", "us", "ns"):
        moment = 9 * 10**12
        columns[f"timestamp_{unit}"] = made(pa.timestamp(unit), lambda i: int(random.integers(-moment, moment)))
    columns["timestamp_utc"] = made(pa.timestamp("us", "UTC"), lambda i: int(random.integers(0, 10**15)))
    return pa.table(columns)


class Files:
    def __init__(self, directory):
        self.directory = directory
        self.expected = {}

    def add(self, name, table, same_as=None, nanoseconds=False, **options):
        path = self.directory / f"{name}.parquet"
        pq.write_table(table, path, **{"store_schema": False, **options})
        assert pq.read_table(path).num_rows == table.num_rows
        self.expect(name, table, same_as, nanoseconds)

    def add_versions(self, name, table, **options):
        """In both versions of data pages, which hold the same."""
        self.add(f"{name}_v1", table, data_page_version="1.0", **options)
        self.add(f"{name}_v2", table, f"{name}_v1", data_page_version="2.0", **options)

    def expect(self, name, table, same_as=None, nanoseconds=False):
        if same_as:
            self.expected[name] = same_as
        else:
            self.expected[name] = {
                column: canonical(table[column].combine_chunks(), nanoseconds) for column in table.column_names
            }


def add_codecs(files):
    table = columns_of_all_types(24, np.random.default_rng(1))
    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        for version in ("1.0", "2.0"):
            name = f"types_{codec}_v{version[0]}"
            first = None if not files.expected else "types_none_v1"
            files.add(name, table, first, compression=codec, data_page_version=version, version="2.6")
    files.add("decimals_as_integers", table.select(["decimal9", "decimal18"]), store_decimal_as_integer=True)
    old = table.select(["timestamp_ms", "timestamp_us", "timestamp_ns"])
    files.add("int96", old, nanoseconds=True, use_deprecated_int96_timestamps=True)
    files.add("format_1", table.select(["int32", "int64", "string", "double"]), version="1.0")


def add_encodings(files):
    random = np.random.default_rng(2)
    rows = 200
    table = columns_of_all_types(rows, random)
    whole = table.select([name for name in ("int32", "uint32", "int64", "date", "timestamp_us")])
    steady = pa.table({
        "steps": pa.array(range(0, 10 * rows, 10), pa.int64()), "constant": pa.array([7] * rows, pa.int32()),
        "extremes": pa.array([2**63 - 1, -(2**63)] * (rows // 2), pa.int64()),
    })
    delta = pa.table({**{n: whole[n] for n in whole.column_names}, **{n: steady[n] for n in steady.column_names}})
    texts = table.select(["string", "binary"])
    fixed = table.select(["fixed"])
    streams = table.select(["float", "double", "int32", "int64", "fixed", "float16"])

    def encoded(name, table, encoding):
        encodings = {column: encoding for column in table.column_names}
        files.add_versions(name, table, use_dictionary=False, column_encoding=encodings)

    encoded("delta_binary_packed", delta, "DELTA_BINARY_PACKED")
    encoded("delta_length", texts, "DELTA_LENGTH_BYTE_ARRAY")
    encoded("delta_byte_array", texts.append_column("fixed", fixed["fixed"]), "DELTA_BYTE_ARRAY")
    encoded("byte_stream_split", streams, "BYTE_STREAM_SPLIT")
    files.add_versions("plain", table.select(["boolean", "int64", "string", "fixed"]), use_dictionary=False)
    runs = pa.table({
        "runs": [i // 40 % 2 == 0 for i in range(rows)], "mixed": [i * i % 7 < 3 for i in range(rows)],
        "nulls": [None if i % 3 == 0 else i % 5 == 0 for i in range(rows)],
    })
    files.add(
        "boolean_runs", runs, use_dictionary=False, column_encoding=dict.fromkeys(runs.column_names, "RLE"),
        data_page_version="2.0",
    )
    # Widths of indices from 0 to 10 bits, in packed groups and in runs.
    widths = pa.table({f"w{bits}": [(i * 7919) % 2**bits for i in range(400)] for bits in (0, 1, 3, 6, 8)})
    files.add("dictionary_widths", widths)
    many = pa.table({"value": pa.array([i * 3 for i in range(300)], pa.int64())})
    files.add("dictionary_abandoned", many, dictionary_pagesize_limit=512, write_batch_size=50, data_page_size=256)


def add_shapes(files):
    rows = 200
    nulls = pa.table({
        "none": pa.array(range(rows), pa.int32()),
        "all": pa.array([None] * rows, pa.int32()),
        "first": pa.array([None] + list(range(rows - 1)), pa.int32()),
        "last": pa.array(list(range(rows - 1)) + [None], pa.int32()),
        "alternating": pa.array([None if i % 2 else i for i in range(rows)], pa.int32()),
        "runs": pa.array([None if i // 25 % 2 else i for i in range(rows)], pa.int32()),
        "texts": pa.array([None if i % 3 else f"text {i % 11}" for i in range(rows)], pa.string()),
    })
    files.add_versions("nulls", nulls, data_page_size=128, write_batch_size=33)
    required = pa.schema([pa.field("a", pa.int64(), False), pa.field("b", pa.string(), False)])
    flat = pa.table({"a": range(100), "b": [f"row {i}" for i in range(100)]}, schema=required)
    files.add("required", flat, write_page_checksum=True)
    files.add("many_row_groups", flat, row_group_size=7)
    files.add("no_rows", flat.slice(0, 0))
    files.add("one_null", pa.table({"x": pa.array([None], pa.int64())}))
    files.add("no_columns", pa.table({}))


def add_lists(files):
    random = np.random.default_rng(3)
    rows = 120

    def one_list():
        return with_nulls([int(value) for value in random.integers(0, 1000, random.integers(0, 6))], random, 0.15)

    lists = [None if i % 7 == 3 else one_list() for i in range(rows)]
    texts = [None if row is None else [None if value is None else f"item {value}" for value in row] for row in lists]
    full = [[i, i + 1][: i % 3] for i in range(rows)]
    never = pa.field("x", pa.list_(pa.field("element", pa.int64(), False)), False)
    table = pa.table(
        {"numbers": lists, "texts": texts, "full": full, "flags": [[bool(v) for v in row] for row in full]},
        schema=pa.schema([
            pa.field("numbers", pa.list_(pa.int32())), pa.field("texts", pa.list_(pa.string())),
            never.with_name("full"), pa.field("flags", pa.list_(pa.bool_())),
        ]),
    )
    files.add_versions("lists", table, data_page_size=200, write_batch_size=20)
    files.add("lists_many_row_groups", table, "lists_v1", row_group_size=11, compression="zstd")
    files.add("lists_item", table.select(["numbers"]), use_compliant_nested_type=False)
    empty = pa.table({
        "empty": pa.array([[], [], []], pa.list_(pa.int32())), "null": pa.array([None] * 3, pa.list_(pa.string())),
    })
    files.add("lists_empty", empty)

    nested = pa.table({
        "group": pa.array([{"a": 1, "b": {"c": "x"}}, {"a": None, "b": None}, None]),
        "records": pa.array([[{"x": 1, "y": "p"}, {"x": 2, "y": None}], [], None]),
        "pairs": pa.array([[("k", 1)], [], [("l", None), ("m", 3)]], pa.map_(pa.string(), pa.int64())),
        "deep": pa.array([[[1]], [[]], None]),
    })
    files.add("nested", nested, {
        "group.a": ["1", None, None], "group.b.c": ["x", None, None],
        "records.element.x": [["1", "2"], [], None], "records.element.y": [["p", None], [], None],
        "pairs.key_value.key": [["k"], [], ["l", "m"]], "pairs.key_value.value": [["1"], [], [None, "3"]],
    })


# What pyarrow reads but does not write: the deprecated packed levels, and lists of two levels.


class Thrift:
    """Just enough of the compact protocol to write metadata: structs as lists of (field, type, value)."""

    @staticmethod
    def variable(number):
        out = bytearray()
        while number >= 0x80:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        return bytes(out) + bytes([number])

    @classmethod
    def struct(cls, fields):
        out, last = bytearray(), 0
        for field, kind, value in fields:
            code = 9 if kind.startswith("list") else {"i32": 5, "i64": 6, "string": 8, "struct": 12}[kind]
            assert 0 < field - last < 16
            out.append((field - last) << 4 | code)
            last = field
            out += cls.value(kind, value)
        return bytes(out) + b"\0"

    @classmethod
    def value(cls, kind, value):
        if kind in ("i32", "i64"):
            return cls.variable(value << 1 if value >= 0 else (-value << 1) - 1)
        if kind == "string":
            return cls.variable(len(value)) + value.encode()
        if kind == "struct":
            return cls.struct(value)
        item = kind[5:-1]
        assert len(value) < 15
        code = {"i32": 5, "string": 8, "struct": 12}[item]
        return bytes([len(value) << 4 | code]) + b"".join(cls.value(item, one) for one in value)


def write_by_hand(path, schema, rows, chunks):
    """A file of one row group and one uncompressed page a column.

    schema: elements behind the root. chunks: (physical type, path, number of levels, encodings of definition and
    repetition levels, page bytes).
    """
    out = bytearray(b"PAR1")
    columns = []
    for physical, names, count, definition, repetition, body in chunks:
        offset = len(out)
        header = Thrift.struct([
            (1, "i32", 0), (2, "i32", len(body)), (3, "i32", len(body)),
            (5, "struct", [(1, "i32", count), (2, "i32", 0), (3, "i32", definition), (4, "i32", repetition)]),
        ])
        out += header + body
        size = len(out) - offset
        columns.append([
            (2, "i64", offset),
            (3, "struct", [
                (1, "i32", physical), (2, "list<i32>", [0, 3, 4]), (3, "list<string>", names), (4, "i32", 0),
                (5, "i64", count), (6, "i64", size), (7, "i64", size), (9, "i64", offset),
            ]),
        ])
    size = len(out) - 4
    tops = sum(1 for element in schema if element[0])
    footer = Thrift.struct([
        (1, "i32", 1),
        (2, "list<struct>", [[(4, "string", "schema"), (5, "i32", tops)]] + [element[1] for element in schema]),
        (3, "i64", rows),
        (4, "list<struct>", [[(1, "list<struct>", columns), (2, "i64", size), (3, "i64", rows)]]),
    ])
    out += footer + struct.pack("<I", len(footer)) + b"PAR1"
    path.write_bytes(out)


def add_by_hand(files):
    # Definition levels 1 0 1 1 0 1 1 1 and 1 0. The format packs these from the highest bit on; pyarrow reads them from
    # the lowest, so that the expectation is written by hand.
    path = files.directory / "packed_levels.parquet"
    values = struct.pack("<7i", *range(10, 17))
    write_by_hand(
        path,
        [(True, [(1, "i32", 1), (3, "i32", 1), (4, "string", "x")])],
        10,
        [(1, ["x"], 10, 4, 4, bytes([0b10110111, 0b10000000]) + values)],
    )
    files.expect("packed_levels", pa.table({"x": [10, None, 11, 12, None, 13, 14, 15, 16, None]}))

    # optional group tags (LIST) { repeated binary array (UTF8) }: ["a", "b"], null, [], ["c"]
    path = files.directory / "lists_two_levels.parquet"
    repetition = struct.pack("<I", 2) + bytes([0b11, 0b00010])
    definition = struct.pack("<I", 3) + bytes([0b11]) + struct.pack("<H", 0b10_01_00_10_10)
    values = b"".join(struct.pack("<I", 1) + letter for letter in (b"a", b"b", b"c"))
    write_by_hand(
        path,
        [
            (True, [(3, "i32", 1), (4, "string", "tags"), (5, "i32", 1), (6, "i32", 3)]),
            (False, [(1, "i32", 6), (3, "i32", 2), (4, "string", "array"), (6, "i32", 0)]),
        ],
        4,
        [(6, ["tags", "array"], 5, 3, 3, repetition + definition + values)],
    )
    files.expect("lists_two_levels", pq.read_table(path))

    # repeated int64 x, without any group: [1, 2], [], [3]
    path = files.directory / "lists_bare.parquet"
    repetition = struct.pack("<I", 2) + bytes([0b11, 0b0010])
    definition = struct.pack("<I", 2) + bytes([0b11, 0b1011])
    write_by_hand(
        path,
        [(True, [(1, "i32", 2), (3, "i32", 2), (4, "string", "x")])],
        3,
        [(2, ["x"], 4, 3, 3, repetition + definition + struct.pack("<3q", 1, 2, 3))],
    )
    files.expect("lists_bare", pq.read_table(path))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    files = Files(parser.parse_args().directory)
    add_codecs(files)
    add_encodings(files)
    add_shapes(files)
    add_lists(files)
    add_by_hand(files)
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(columns, ensure_ascii=False, separators=(',', ':'))}"
        for name, columns in files.expected.items()
    )
    (files.directory / "expected.json").write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
