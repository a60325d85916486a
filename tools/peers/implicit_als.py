"""implicit's time for alternating least squares on a CSV of user,item: the fit, by each of its two solvers.

    python implicit_als.py --csv interactions.csv
"""

import argparse
import json
import os
import time

# implicit asks for one BLAS thread: it has threads of its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
import implicit
import numpy as np
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--factors", type=int, default=60)
    parser.add_argument("--iterations", type=int, default=10)
    arguments = parser.parse_args()
    rows = np.loadtxt(arguments.csv, delimiter=",", skiprows=1, dtype=np.int64)[:, :2]
    users, items = rows.max(axis=0) + 1
    matrix = sp.csr_matrix((np.ones(len(rows), np.float32), (rows[:, 0], rows[:, 1])), shape=(users, items))
    for solver in ("cholesky", "conjugate-gradient"):
        model = AlternatingLeastSquares(
            factors=arguments.factors, iterations=arguments.iterations, use_cg=solver == "conjugate-gradient",
            use_gpu=False, random_state=1,
        )
        start = time.perf_counter()
        model.fit(matrix, show_progress=False)
        print(json.dumps({
            "name": f"als fit {solver}",
            "library": f"implicit {implicit.__version__}, {solver}",
            "seconds": time.perf_counter() - start,
        }))


if __name__ == "__main__":
    main()
