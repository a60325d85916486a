"""Records what `implicit` makes of a small matrix by alternating least squares: Tests/RecommendationTests/Resources.

    python make_als_reference.py Tests/RecommendationTests/Resources/implicit_als.json

needs `implicit` and `scipy`. The losses are computed here, entry by entry in double precision, from implicit's factors
after each iteration: `Σ_S c (1 - x·y)² + Σ_not-S (x·y)² + λ (Σ|x|² + Σ|y|²)` with implicit's confidences `c`.
"""

import json
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import implicit
import numpy as np
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares

USERS, ITEMS, FACTORS, ITERATIONS, REGULARIZATION = 60, 40, 8, 10, 0.1


def loss(x, y, confidences):
    scores = x.astype(np.float64) @ y.astype(np.float64).T
    seen = confidences > 0
    fit = np.where(seen, confidences * (1 - scores) ** 2, scores**2).sum()
    return fit + REGULARIZATION * ((x.astype(np.float64) ** 2).sum() + (y.astype(np.float64) ** 2).sum())


def losses(matrix, confidences, x, y, conjugate_gradient):
    values = []
    for iterations in range(1, ITERATIONS + 1):
        model = AlternatingLeastSquares(
            factors=FACTORS, regularization=REGULARIZATION, alpha=1.0, iterations=iterations, use_gpu=False,
            use_cg=conjugate_gradient, num_threads=1,
        )
        model.user_factors, model.item_factors = x.copy(), y.copy()
        model.fit(matrix, show_progress=False)
        values.append(loss(model.user_factors, model.item_factors, confidences))
    return values


def main():
    generator = np.random.default_rng(11)
    tastes = generator.normal(size=(USERS, 3)) @ generator.normal(size=(3, ITEMS))
    seen = tastes + 0.7 * generator.gumbel(size=tastes.shape) > 1.5
    # Confidences well above 1, as implicit takes them.
    confidences = np.where(seen, generator.integers(2, 30, size=tastes.shape), 0).astype(np.float32)
    x = (0.1 * generator.normal(size=(USERS, FACTORS))).astype(np.float32)
    y = (0.1 * generator.normal(size=(ITEMS, FACTORS))).astype(np.float32)
    matrix = sp.csr_matrix(confidences)
    rows, columns = confidences.nonzero()
    reference = {
        "made_by": f"tools/peers/make_als_reference.py with implicit {implicit.__version__}",
        "users": USERS, "items": ITEMS, "factors": FACTORS, "regularization": REGULARIZATION,
        "entries": [[int(u), int(i), float(confidences[u, i])] for u, i in zip(rows, columns)],
        "user_factors": [float(v) for v in x.ravel()], "item_factors": [float(v) for v in y.ravel()],
        "cholesky_losses": losses(matrix, confidences, x, y, False),
        "conjugate_gradient_losses": losses(matrix, confidences, x, y, True),
    }
    with open(sys.argv[1], "w") as file:
        json.dump(reference, file)
        file.write("\n")


if __name__ == "__main__":
    main()
