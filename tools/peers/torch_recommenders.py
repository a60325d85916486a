"""PyTorch's NCF networks trained and measured on the document that `ranker data split` writes.

The networks, the sampling and the measures are ours: 4 drawn items for each known pair, anew in each epoch; binary
cross-entropy; Adam at 0.001; batches of 256; hit rate and NDCG at 10 among the candidates of held_out_test. A line of
JSON after each epoch.

    ranker data split u.data --leave-one-out --seed 1 --output split.json
    python torch_recommenders.py --data split.json --architecture neumf --seed 1
"""

import argparse
import json
import math

import numpy as np
import torch
from torch import nn


class NCF(nn.Module):
    def __init__(self, architecture, users, items, width, layers, deviation):
        super().__init__()
        self.architecture = architecture
        # One pair of tables for each part: the product and the perceptron.
        parts = {"mlp": 1, "gmf": 1, "neumf": 2}[architecture]
        self.users = nn.ModuleList(nn.Embedding(users, width) for _ in range(parts))
        self.items = nn.ModuleList(nn.Embedding(items, width) for _ in range(parts))
        for table in [*self.users, *self.items]:
            nn.init.normal_(table.weight, std=deviation)
        blocks, inputs = [], 2 * width
        for outputs in layers if architecture != "gmf" else []:
            blocks += [nn.Linear(inputs, outputs), nn.ReLU()]
            inputs = outputs
        self.mlp = nn.Sequential(*blocks)
        self.output = nn.Linear({"mlp": inputs, "gmf": width, "neumf": width + inputs}[architecture], 1)

    def forward(self, user, item):
        features = []
        if self.architecture != "mlp":
            features.append(self.users[0](user) * self.items[0](item))
        if self.architecture != "gmf":
            features.append(self.mlp(torch.cat([self.users[-1](user), self.items[-1](item)], 1)))
        return self.output(torch.cat(features, 1)).squeeze(1)


def read(path):
    """Pairs of users and items, known pairs (held-out ones too) as a table of bits, and the cases."""
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    users, items = {}, {}
    pairs = []
    for row in document["interactions"]:
        pairs.append((users.setdefault(row["user_id"], len(users)), items.setdefault(row["item_id"], len(items))))
    cases = []
    for case in document["held_out_test"]:
        candidates = [items.setdefault(item, len(items)) for item in case["candidate_items"]]
        relevant = {items.setdefault(item, len(items)) for item in case["relevant_items"]}
        cases.append((users[case["user_id"]], candidates, relevant))
    pairs = np.array(sorted(set(pairs)))
    known = np.zeros((len(users), len(items)), bool)
    known[pairs[:, 0], pairs[:, 1]] = True
    for user, _, relevant in cases:
        known[user, list(relevant)] = True
    return pairs, known, cases


def samples(pairs, known, negatives, generator):
    """Each known pair followed by drawn items that the user does not have, with the labels."""
    drawn = generator.integers(0, known.shape[1], (len(pairs), negatives))
    while (again := known[pairs[:, :1], drawn]).any():
        drawn[again] = generator.integers(0, known.shape[1], again.sum())
    items = np.column_stack([pairs[:, 1], drawn])
    labels = np.zeros(items.shape, np.float32)
    labels[:, 0] = 1
    users = np.repeat(pairs[:, 0], negatives + 1)
    return torch.tensor(users), torch.tensor(items.ravel()), torch.tensor(labels.ravel())


def measures(network, cases, k=10):
    hits = gains = 0.0
    with torch.no_grad():
        for user, candidates, relevant in cases:
            scores = network(torch.full((len(candidates),), user), torch.tensor(candidates)).numpy()
            top = [candidates[place] in relevant for place in np.argsort(-scores, kind="stable")[:k]]
            best = sum(1 / math.log2(place + 2) for place in range(min(k, len(relevant))))
            hits += any(top)
            gains += sum(hit / math.log2(place + 2) for place, hit in enumerate(top)) / best
    return hits / len(cases), gains / len(cases)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--architecture", choices=["mlp", "gmf", "neumf"], default="mlp")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--negatives", type=int, default=4)
    parser.add_argument("--deviation", type=float, default=0.01, help="of the tables' initial values (He et al. 2017)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    generator = np.random.default_rng(arguments.seed)

    pairs, known, cases = read(arguments.data)
    network = NCF(arguments.architecture, *known.shape, 64, [128, 64, 32], arguments.deviation)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_of = nn.BCEWithLogitsLoss()
    for epoch in range(1, arguments.epochs + 1):
        users, items, labels = samples(pairs, known, arguments.negatives, generator)
        total = 0.0
        for chosen in torch.randperm(len(labels)).split(256):
            loss = loss_of(network(users[chosen], items[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
        hit_rate, ndcg = measures(network, cases)
        print(json.dumps({
            "architecture": arguments.architecture, "seed": arguments.seed, "epoch": epoch,
            "loss": round(total / len(labels), 4), "hit_rate@10": round(hit_rate, 4), "ndcg@10": round(ndcg, 4),
        }), flush=True)


if __name__ == "__main__":
    main()
