"""Makes pytorch_step.json: the obvious PyTorch module, one step of SGD on the margin ranking loss with ties.

    python make_step.py > pytorch_step.json     (made with torch 2.x; any version gives these digits)
"""
import json
import torch

torch.manual_seed(3)
EMBEDDING, METRICS, HIDDEN, BATCH, MARGIN, RATE = 4, 2, 5, 6, 1.0, 0.1
mean, std = torch.tensor([0.5, -2.0]), torch.tensor([0.25, 3.0])


class Ranker(torch.nn.Module):
    def __init__(self):
        super().__init__()
        features = EMBEDDING + METRICS
        self.shared_layer = torch.nn.Sequential(
            torch.nn.Linear(features, HIDDEN), torch.nn.ReLU(), torch.nn.Dropout(0.0),
            torch.nn.Linear(HIDDEN, HIDDEN), torch.nn.ReLU())
        self.score_layer = torch.nn.Linear(HIDDEN, 1)

    def forward(self, x):
        metrics = x[:, EMBEDDING:]
        metrics = (torch.where(torch.isnan(metrics), mean, metrics) - mean) / std
        return self.score_layer(self.shared_layer(torch.cat([x[:, :EMBEDDING], metrics], 1))).squeeze(1)


def batch():
    x = torch.randn(BATCH, EMBEDDING + METRICS)
    x[:, EMBEDDING:] = x[:, EMBEDDING:] * std + mean
    return x


net = Ranker()
before = {k: v.tolist() for k, v in net.state_dict().items()}
a, b = batch(), batch()
a[1, EMBEDDING] = float("nan")
b[4, EMBEDDING + 1] = float("nan")
y = torch.tensor([1.0, -1.0, 0.0, 1.0, 0.0, -1.0])
score_a, score_b = net(a), net(b)
d = score_a - score_b
loss = torch.where(y == 0, d.abs(), torch.relu(MARGIN - y * d)).mean()
torch.optim.SGD(net.parameters(), lr=RATE).zero_grad()
loss.backward()
with torch.no_grad():
    for p in net.parameters():
        p -= RATE * p.grad
# JSON has no NaN.
rows = lambda x: [[None if v != v else v for v in row] for row in x.tolist()]
print(json.dumps({
    "embedding_dim": EMBEDDING, "hidden_dim": HIDDEN, "margin": MARGIN, "learning_rate": RATE,
    "metric_means": mean.tolist(), "metric_stds": std.tolist(), "parameters": before,
    "input_a": rows(a), "input_b": rows(b), "label": y.tolist(),
    "score_a": score_a.tolist(), "score_b": score_b.tolist(), "loss": loss.item(),
    "updated": {k: v.tolist() for k, v in net.state_dict().items()},
}, indent=1))
