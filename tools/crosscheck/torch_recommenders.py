"""PyTorch's side of the ALS and popularity cross-checks; run by a Python that has torch.

    python torch_recommenders.py CHECKPOINT RECORDED.npz

Loads the checkpoint with weights_only=True, looks for what people expect in it, and compares its scores with the
recorded ones.
"""

import sys

import numpy as np
import torch


def main():
    path, recorded = sys.argv[1:]
    saved = torch.load(path, weights_only=True)
    data = np.load(recorded)
    state = saved["model_state_dict"]
    for ids, count in (("user_id_map", "num_users"), ("item_id_map", "num_items")):
        assert sorted(saved[ids].values()) == list(range(saved[count])), ids
        assert all(isinstance(name, str) for name in saved[ids]), ids
    assert isinstance(saved["training_metrics"], dict)
    if "item_factors.weight" in state:
        assert state["user_factors.weight"].shape == (saved["num_users"], saved["factors"])
        found = (state["user_factors.weight"][data["user"]] @ state["item_factors.weight"].T).numpy()
    else:
        found = np.tile(state["item_scores"].numpy(), (len(data["user"]), 1))
    np.testing.assert_allclose(found, data["scores"], rtol=1e-4, atol=1e-5)


if __name__ == "__main__":
    main()
