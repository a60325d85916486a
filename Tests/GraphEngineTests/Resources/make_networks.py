"""Writes the networks that NetworkGradientTests trains against PyTorch: for each NAME a NAME.onnx, exported by
torch.onnx with the loss as its output, and a NAME_expected.onnx, whose initializers are the feeds (`input/…`),
the loss (`loss`) and its gradients by torch.autograd (`gradient/…`), in double precision rounded to float.

Run with torch 2.x and onnx 1.16:  python make_networks.py
"""

import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import nn


class MarginRanker(nn.Module):
    """Two items through one MLP; the margin ranking loss of their scores' difference."""

    def __init__(self):
        super().__init__()
        self.shared_layer = nn.Sequential(nn.Linear(11, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU())
        self.score_layer = nn.Linear(8, 1)

    def forward(self, input_a, input_b, label):
        score = lambda x: self.score_layer(self.shared_layer(x)).squeeze(-1)
        return torch.clamp(1.0 - label * (score(input_a) - score(input_b)), min=0).mean()


class TransformerBlock(nn.Module):
    """Token and position embeddings, masked attention of two heads, a GELU network, mean pooling, cross-entropy."""

    def __init__(self, width=12, heads=2, vocabulary=23, length=7, labels=4):
        super().__init__()
        self.heads = heads
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(length, width)
        self.norm = nn.LayerNorm(width)
        self.query, self.key, self.value, self.mix = (nn.Linear(width, width) for _ in range(4))
        self.attention_norm = nn.LayerNorm(width)
        self.wide = nn.Linear(width, 3 * width)
        self.narrow = nn.Linear(3 * width, width)
        self.output_norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, labels)

    def forward(self, ids, mask, label):
        batch, length = ids.shape
        x = self.norm(self.tokens(ids) + self.positions(torch.arange(length)))
        split = lambda y: y.reshape(batch, length, self.heads, -1).transpose(1, 2)
        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        weights = q @ k.transpose(-1, -2) / (q.shape[-1] ** 0.5)
        weights = weights.masked_fill(mask[:, None, None, :] == 0, -1e9).softmax(-1)
        x = self.attention_norm(x + self.mix((weights @ v).transpose(1, 2).reshape(batch, length, -1)))
        x = self.output_norm(x + self.narrow(F.gelu(self.wide(x))))
        kept = mask[:, :, None]
        pooled = (x * kept).sum(1) / kept.sum(1)
        logits = F.log_softmax(self.classifier(pooled), -1)
        return -logits.gather(1, label[:, None]).mean()


class NeuralCollaborativeFilter(nn.Module):
    """Users' and items' embeddings, multiplied in one branch and joined in another; the logistic loss."""

    def __init__(self, users=17, items=29, width=5):
        super().__init__()
        self.user_factor, self.item_factor = nn.Embedding(users, width), nn.Embedding(items, width)
        self.user_joined, self.item_joined = nn.Embedding(users, width), nn.Embedding(items, width)
        self.tower = nn.Sequential(nn.Linear(2 * width, 8), nn.ReLU(), nn.Linear(8, 4), nn.Tanh())
        self.output = nn.Linear(width + 4, 1)

    def forward(self, user, item, label):
        product = self.user_factor(user) * self.item_factor(item)
        joined = self.tower(torch.cat([self.user_joined(user), self.item_joined(item)], 1))
        logit = self.output(torch.cat([product, joined], 1)).squeeze(1)
        return (F.softplus(logit) - label * logit).mean()


def write(name, network, feeds):
    for parameter in network.parameters():
        parameter.data.uniform_(-0.6, 0.6)
    names = list(feeds)
    torch.onnx.export(
        network, tuple(feeds.values()), f"{name}.onnx", input_names=names, output_names=["loss"], opset_version=17,
        do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE, dynamo=False)
    graph = onnx.load(f"{name}.onnx")
    for node in graph.graph.node:
        node.ClearField("doc_string")
    onnx.save(graph, f"{name}.onnx")

    network.double()
    loss = network(*(v.double() if v.is_floating_point() else v for v in feeds.values()))
    loss.backward()
    tensor = lambda key, value: numpy_helper.from_array(
        (value.float() if value.is_floating_point() else value).detach().numpy(), key)
    kept = [tensor(f"input/{key}", value) for key, value in feeds.items()] + [tensor("loss", loss)]
    kept += [tensor(f"gradient/{key}", parameter.grad) for key, parameter in network.named_parameters()]
    holder = onnx.helper.make_graph([], f"{name} expected", [], [], initializer=kept)
    onnx.save(onnx.helper.make_model(holder, opset_imports=[onnx.helper.make_opsetid("", 17)]), f"{name}_expected.onnx")


if __name__ == "__main__":
    torch.manual_seed(7)
    write("ranker", MarginRanker(), {
        "input_a": torch.randn(9, 11), "input_b": torch.randn(9, 11),
        "label": torch.tensor([1.0, -1, 1, 1, -1, 1, -1, -1, 1])})
    write("transformer", TransformerBlock(), {
        "ids": torch.randint(0, 23, (3, 7)),
        "mask": torch.tensor([[1.0] * 7, [1.0] * 4 + [0.0] * 3, [1.0] * 6 + [0.0]]),
        "label": torch.tensor([2, 0, 3])})
    write("collaborative", NeuralCollaborativeFilter(), {
        "user": torch.tensor([3, 16, 3, 0, 9, 3]), "item": torch.tensor([28, 1, 1, 7, 0, 28]),
        "label": torch.tensor([1.0, 0, 1, 0, 0, 1])})
