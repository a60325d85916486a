"""PyTorch's time for a training step of NCF: embeddings of 64 numbers, layers of 128, 64 and 32, Adam.

The samples are made up, as in ranker-bench: ids with a long tail, one known pair to four drawn ones.

    python torch_ncf.py --users 6000 --items 3000
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn


class NCF(nn.Module):
    def __init__(self, users, items, width, layers):
        super().__init__()
        self.user_embedding = nn.Embedding(users, width)
        self.item_embedding = nn.Embedding(items, width)
        blocks, inputs = [], 2 * width
        for outputs in layers:
            blocks += [nn.Linear(inputs, outputs), nn.ReLU()]
            inputs = outputs
        self.mlp = nn.Sequential(*blocks)
        self.output = nn.Linear(inputs, 1)

    def forward(self, user, item):
        rows = torch.cat([self.user_embedding(user), self.item_embedding(item)], 1)
        return self.output(self.mlp(rows)).squeeze(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=6000)
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.manual_seed(42)
    torch.set_num_threads(arguments.threads)

    count = arguments.steps * arguments.batch
    users = (torch.rand(count) ** 2 * arguments.users).long()
    items = (torch.rand(count) ** 2 * arguments.items).long()
    labels = (torch.arange(count) % 5 == 0).float()
    network = NCF(arguments.users, arguments.items, 64, [128, 64, 32])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_of = nn.BCEWithLogitsLoss()
    seconds = []
    for chosen in torch.randperm(count).split(arguments.batch):
        start = time.perf_counter()
        loss = loss_of(network(users[chosen], items[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({
        "name": "ncf_training_step",
        "library": f"PyTorch {torch.__version__}",
        "samples_per_second": arguments.batch / statistics.median(seconds),
        "seconds": statistics.median(seconds),
    }))


if __name__ == "__main__":
    main()
