"""Makes the Parquet file of these tests: `python make_parquet.py` in this folder, with pyarrow 17 or later."""

import pyarrow as pa
import pyarrow.parquet as pq

pq.write_table(
    pa.table({
        "client_id": pa.array([11, 12, None, 14]),
        "shop": ["a", "b", "c", "d"],
        "text": ["Cherche une bague.", None, "Call me", "…"],
        "language": ["fr", "fr", "en", "en"],
    }),
    "notes.parquet", compression="snappy")
