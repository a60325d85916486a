"""PyTorch's time for the pairwise ranker: reading the pairs, and a training step (the median) of our arithmetic.

The network is the one of `ranker train pairwise`: two hidden layers with ReLU, dropout after the first, a linear score;
margin ranking loss on winners, distance on ties; Adam.

    python torch_pairwise.py --input pairs.jsonl --epochs 10
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn


class Ranker(nn.Module):
    def __init__(self, features, hidden, dropout):
        super().__init__()
        self.shared_layer = nn.Sequential(
            nn.Linear(features, hidden), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden, hidden), nn.ReLU(),
        )
        self.score_layer = nn.Linear(hidden, 1)

    def forward(self, a, b):
        return (self.score_layer(self.shared_layer(a)) - self.score_layer(self.shared_layer(b))).squeeze(1)


def features_of(item):
    return item["embedding"] + [item["metrics"][name] for name in sorted(item["metrics"])]


def read(path):
    a, b, labels = [], [], []
    with open(path, "rb") as file:
        for line in file:
            pair = json.loads(line)
            a.append(features_of(pair["item_a"]))
            b.append(features_of(pair["item_b"]))
            labels.append(pair["label"])
    return tuple(torch.tensor(column, dtype=torch.float32) for column in (a, b, labels))


def loss_of(difference, label, margin):
    return torch.where(label == 0, difference.abs(), torch.relu(margin - label * difference)).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.manual_seed(42)
    torch.set_num_threads(arguments.threads)

    start = time.perf_counter()
    a, b, labels = read(arguments.input)
    loaded = time.perf_counter()

    network = Ranker(a.shape[1], arguments.hidden, dropout=0.2)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    step_seconds = []
    for _ in range(arguments.epochs):
        total = 0.0
        for chosen in torch.randperm(len(labels)).split(arguments.batch):
            begun = time.perf_counter()
            loss = loss_of(network(a[chosen], b[chosen]), labels[chosen], margin=1.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
            step_seconds.append(time.perf_counter() - begun)
    trained = time.perf_counter()

    print(json.dumps({
        "name": "training_step",
        "library": f"PyTorch {torch.__version__}",
        "pairs": len(labels),
        "steps": len(step_seconds),
        "loss": total * arguments.epochs / len(step_seconds),
        "read_seconds": loaded - start,
        "train_seconds": trained - loaded,
        "seconds": statistics.median(step_seconds),
    }))


if __name__ == "__main__":
    main()
