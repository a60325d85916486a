"""Scores in PyTorch from a factorisation's or a popularity model's checkpoint, compared with recorded ones.

    python als_torch_side.py model.pt recorded.npz
"""

import sys

import numpy as np
import torch

checkpoint = torch.load(sys.argv[1], weights_only=True)
recorded = np.load(sys.argv[2])
state = checkpoint["model_state_dict"]
users, items = checkpoint["num_users"], checkpoint["num_items"]
assert len(checkpoint["user_id_map"]) == users and len(checkpoint["item_id_map"]) == items
assert sorted(checkpoint["user_id_map"].values()) == list(range(users))
if "item_scores" in state:
    scores = state["item_scores"].expand(users, items)
else:
    assert state["user_factors.weight"].shape == (users, checkpoint["factors"])
    scores = state["user_factors.weight"] @ state["item_factors.weight"].T
np.testing.assert_allclose(scores.numpy(), recorded["scores"], rtol=1e-5, atol=1e-6)
# Of equal scores any may come first here; the values say whether these are the best.
best = scores.topk(10).values.numpy()
np.testing.assert_allclose(best, recorded["best"], rtol=1e-5, atol=1e-6)
np.testing.assert_allclose(
    np.take_along_axis(scores.numpy(), recorded["items"], axis=1), recorded["best"], rtol=1e-5, atol=1e-6)
