"""Makes the Parquet files of these tests: `python make_parquet.py` in this folder, with pyarrow 17 or later."""

import datetime
import os

import pyarrow as pa
import pyarrow.parquet as pq

# One table of interactions: a null user, a strength of 0, a time as text that is none.
pq.write_table(
    pa.table({
        "movieId": pa.array([10, 20, 10, 30, 20], pa.int32()),
        "note": ["a", "b", "c", "d", "e"],
        "userId": ["ann", "bob", None, "ann", "bob"],
        "timestamp": ["2026-01-01T00:00:10Z", "1767225620", "2026-01-01", "2026-01-02", "soon"],
        "implicit_rating": [1.5, 0.0, 1.0, 2.0, 3.0],
    }),
    "interactions.parquet",
)

# A clickstream of 30 days; the latest row is at noon of 30 January, so that 16 January, noon, still trains.
day = lambda number, hour=12: datetime.datetime(2026, 1, number, hour)
rows = [
    (7_000_000_000_001, 501, 1, day(1)),  # trains
    (7_000_000_000_001, 502, 0, day(2)),  # trains
    (7_000_000_000_002, 503, 0, day(16)),  # trains: exactly 14 days before the latest row
    (7_000_000_000_002, 501, 0, day(3)),  # trains
    (7_000_000_000_001, 503, 1, day(17)),  # tests
    (7_000_000_000_001, 503, 2, day(18)),  # the same pair once more
    (7_000_000_000_001, 501, 1, day(19)),  # seen in training
    (7_000_000_000_002, 502, 0, day(20)),  # no contact
    (7_000_000_000_003, 501, 1, day(21)),  # a user who does not train
    (7_000_000_000_002, 599, 1, day(22)),  # an item that does not train
    (7_000_000_000_002, 502, 2, day(30)),  # tests
    (7_000_000_000_004, 504, 9, day(29)),  # an event that events.pq does not know
]
os.makedirs("clickstream", exist_ok=True)
pq.write_table(
    pa.table({
        "cookie": pa.array([row[0] for row in rows], pa.int64()),
        "platform": pa.array([3] * len(rows), pa.int64()),
        "node": pa.array([row[1] for row in rows], pa.uint32()),
        "event": pa.array([row[2] for row in rows], pa.int64()),
        "event_date": pa.array([row[3] for row in rows], pa.timestamp("us")),
        "surface": pa.array([1] * len(rows), pa.int64()),
    }),
    "clickstream/clickstream.pq", compression="snappy", row_group_size=5,
)
pq.write_table(
    pa.table({"event": pa.array([0, 1, 2], pa.int64()), "is_contact": pa.array([0, 1, 1], pa.int64())}),
    "clickstream/events.pq",
)
