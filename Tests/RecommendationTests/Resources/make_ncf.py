"""Records what PyTorch makes of small NCF networks: losses of some steps, and the parameters after them.

    python make_ncf.py > pytorch_ncf.json        (made with PyTorch 2.15)

The modules are the ones that a PyTorch user would write. With Adam every batch has each user with each item, since
PyTorch's moves rows that a batch does not name, and ours does not; with SGD the batches are small, and rows are left out.
"""

import json

import torch
from torch import nn
from torch.nn import functional

USERS, ITEMS, WIDTH, LAYERS, BATCH, STEPS = 5, 7, 4, [6, 3], 8, 4
# Far above the rounding of gradients that cancel out, such as the last bias' with BPR, which Adam would make steps of.
EPSILON = 1e-3


class NCF(nn.Module):
    def __init__(self, architecture):
        super().__init__()
        self.architecture = architecture

        def tables(suffix):
            setattr(self, f"user_embedding{suffix}", nn.Embedding(USERS, WIDTH))
            setattr(self, f"item_embedding{suffix}", nn.Embedding(ITEMS, WIDTH))

        for suffix in ["_gmf", "_mlp"] if architecture == "neumf" else [""]:
            tables(suffix)
        width = 2 * WIDTH
        if architecture != "gmf":
            layers = []
            for outputs in LAYERS:
                layers += [nn.Linear(width, outputs), nn.ReLU()]
                width = outputs
            self.mlp = nn.Sequential(*layers)
        inputs = {"mlp": width, "gmf": WIDTH, "neumf": WIDTH + width}[architecture]
        self.output = nn.Linear(inputs, 1)

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
        return self.output(features).squeeze(1)


def values(tensors):
    return {name: {"shape": list(t.shape), "values": t.detach().flatten().tolist()} for name, t in tensors.items()}


def case(architecture, loss, optimizer):
    torch.manual_seed(1)
    network = NCF(architecture)
    start = values({k: v.clone() for k, v in network.state_dict().items()})
    if optimizer == "adam":
        rule = torch.optim.Adam(network.parameters(), lr=0.05, eps=EPSILON)
    else:
        rule = torch.optim.SGD(network.parameters(), lr=0.5)
    steps, losses = [], []
    for _ in range(STEPS):
        if optimizer == "adam":
            everything = torch.cartesian_prod(torch.arange(USERS), torch.arange(ITEMS))
            user, item = everything[torch.randperm(len(everything))].unbind(1)
        else:
            user, item = torch.randint(USERS, (BATCH,)), torch.randint(ITEMS, (BATCH,))
        step = {"user": user.tolist(), "item": item.tolist()}
        if loss == "bce":
            label = torch.randint(2, (len(user),)).float()
            step["label"] = label.tolist()
            value = functional.binary_cross_entropy_with_logits(network(user, item), label)
        else:
            negative = torch.randint(ITEMS, (len(user),))
            step["negative"] = negative.tolist()
            value = -functional.logsigmoid(network(user, item) - network(user, negative)).mean()
        rule.zero_grad()
        value.backward()
        rule.step()
        steps.append(step)
        losses.append(value.item())
    pairs = {"user": [0, 1, 4, 2], "item": [6, 0, 3, 3]}
    scores = torch.sigmoid(network(torch.tensor(pairs["user"]), torch.tensor(pairs["item"])))
    return {
        "architecture": architecture, "loss": loss, "optimizer": optimizer, "parameters": start, "steps": steps,
        "losses": losses, "after": values(network.state_dict()), "pairs": pairs, "scores": scores.tolist(),
    }


if __name__ == "__main__":
    cases = [case(a, "bce", "adam") for a in ("mlp", "gmf", "neumf")]
    cases += [case("mlp", "bpr", "adam"), case("neumf", "bpr", "sgd"), case("mlp", "bce", "sgd")]
    print(json.dumps({
        "users": USERS, "items": ITEMS, "embedding_dim": WIDTH, "hidden_layers": LAYERS, "cases": cases}))
