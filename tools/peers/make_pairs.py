"""Writes the data of the pairwise benchmarks: a JSONL of preference pairs with whole items inline.

Items are random unit vectors with six random metrics; a hidden linear utility over both decides the labels.
The defaults give 2,000 pairs of 1,536 numbers, 77 MB. The same seed gives the same file.

    python make_pairs.py --output pairs.jsonl
"""

import argparse
import json

import numpy as np

METRICS = ["clarity", "completeness", "impact", "keyword_density", "readability", "relevance"]
TIE = 0.05  # utilities closer than this are labelled equal


def make_item(index, embedding, metrics):
    return {
        "id": f"proj-{index}",
        "item_type": "project",
        "item_reference_id": f"ref-{index}",
        "embedding": [round(float(x), 8) for x in embedding],
        "metrics": {name: round(float(x), 6) for name, x in zip(METRICS, metrics)},
        "created_at": "2026-01-01T00:00:00Z",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--items", type=int, default=400)
    parser.add_argument("--dimension", type=int, default=1536)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()

    generator = np.random.default_rng(arguments.seed)
    embeddings = generator.normal(size=(arguments.items, arguments.dimension))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    metrics = generator.uniform(size=(arguments.items, len(METRICS)))
    utility = embeddings @ generator.normal(size=arguments.dimension) + metrics @ generator.normal(size=len(METRICS))
    items = [make_item(i, embeddings[i], metrics[i]) for i in range(arguments.items)]

    with open(arguments.output, "w") as file:
        for _ in range(arguments.pairs):
            a, b = generator.choice(arguments.items, 2, replace=False)
            difference = utility[a] - utility[b]
            label = 0 if abs(difference) < TIE else 1 if difference > 0 else -1
            pair = {
                "item_a": items[a],
                "item_b": items[b],
                "label": label,
                "reason_tags": ["relevance"],
                "similarity": float(embeddings[a] @ embeddings[b]),
            }
            file.write(json.dumps(pair) + "\n")


if __name__ == "__main__":
    main()
