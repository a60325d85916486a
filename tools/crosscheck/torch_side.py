"""PyTorch's side of the cross-checks; run by a Python that has torch, so it needs nothing else but numpy.

    python torch_side.py CHECKPOINT RECORDED.npz SAVED

Loads the checkpoint with weights_only=True into the obvious module, compares its scores with the recorded ones, then
saves a state dict of other parameters with torch.save to SAVED, for the way back.
"""

import sys

import numpy as np
import torch
from torch import nn


class PairwiseRanker(nn.Module):
    """What a reader of the documentation would write."""

    def __init__(self, features, hidden):
        super().__init__()
        self.shared_layer = nn.Sequential(
            nn.Linear(features, hidden), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(hidden, hidden), nn.ReLU(),
        )
        self.score_layer = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.score_layer(self.shared_layer(x)).squeeze(1)


def main():
    checkpoint, recorded, saved = sys.argv[1:]
    state = torch.load(checkpoint, weights_only=True)
    hidden, features = state["shared_layer.0.weight"].shape
    network = PairwiseRanker(features, hidden).eval()
    network.load_state_dict(state)

    data = np.load(recorded)
    with torch.no_grad():
        a = network(torch.from_numpy(data["standardised_a"]))
        b = network(torch.from_numpy(data["standardised_b"]))
    np.testing.assert_allclose((a - b).numpy(), data["score_diff"], rtol=1e-4, atol=1e-5)

    torch.manual_seed(1)
    torch.save(PairwiseRanker(features, hidden).state_dict(), saved)
    print(f"torch {torch.__version__}")


if __name__ == "__main__":
    main()
