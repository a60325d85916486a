"""The PyTorch side of the NCF cross-check: loads a checkpoint of ours in the obvious module and compares its scores.

    python ncf_torch_side.py ncf.pt recorded.npz
"""

import sys

import numpy as np
import torch
from torch import nn

KEYS = [
    "model_state_dict", "user_id_map", "item_id_map", "num_users", "num_items", "embedding_dim", "hidden_layers",
    "training_metrics",
]
RELATIVE, ABSOLUTE = 1e-4, 1e-5  # onnx-verify's own defaults


class NCF(nn.Module):
    """What somebody would write to load the checkpoint: sizes from its keys, parameters by their names."""

    def __init__(self, checkpoint):
        super().__init__()
        self.architecture = checkpoint["architecture"]
        users, items, width = checkpoint["num_users"], checkpoint["num_items"], checkpoint["embedding_dim"]
        for suffix in ["_gmf", "_mlp"] if self.architecture == "neumf" else [""]:
            setattr(self, f"user_embedding{suffix}", nn.Embedding(users, width))
            setattr(self, f"item_embedding{suffix}", nn.Embedding(items, width))
        inputs = 2 * width
        if self.architecture != "gmf":
            layers = []
            for outputs in checkpoint["hidden_layers"]:
                layers += [nn.Linear(inputs, outputs), nn.ReLU()]
                inputs = outputs
            self.mlp = nn.Sequential(*layers)
        self.output = nn.Linear({"mlp": inputs, "gmf": width, "neumf": width + inputs}[self.architecture], 1)
        self.load_state_dict(checkpoint["model_state_dict"])

    def rows(self, suffix, user, item):
        return getattr(self, f"user_embedding{suffix}")(user), getattr(self, f"item_embedding{suffix}")(item)

    def forward(self, user, item):
        if self.architecture == "mlp":
            features = self.mlp(torch.cat(self.rows("", user, item), 1))
        elif self.architecture == "gmf":
            u, i = self.rows("", user, item)
            features = u * i
        else:
            u, i = self.rows("_gmf", user, item)
            features = torch.cat([u * i, self.mlp(torch.cat(self.rows("_mlp", user, item), 1))], 1)
        return torch.sigmoid(self.output(features).squeeze(1))


def main():
    checkpoint_path, recorded_path = sys.argv[1:]
    checkpoint = torch.load(checkpoint_path, weights_only=True)
    missing = [key for key in KEYS if key not in checkpoint]
    if missing:
        raise AssertionError(f"the checkpoint lacks {missing}")
    for name, count in (("user_id_map", "num_users"), ("item_id_map", "num_items")):
        if sorted(checkpoint[name].values()) != list(range(checkpoint[count])):
            raise AssertionError(f"{name} does not number {checkpoint[count]} rows")
    network = NCF(checkpoint)
    recorded = np.load(recorded_path)
    with torch.no_grad():
        scores = network(torch.tensor(recorded["user"]), torch.tensor(recorded["item"])).numpy()
    np.testing.assert_allclose(scores, recorded["score"], rtol=RELATIVE, atol=ABSOLUTE)
    print(f"{len(scores)} scores agree, the largest difference is {np.abs(scores - recorded['score']).max():.1e}")


if __name__ == "__main__":
    main()
