"""PyTorch's side of concept detection's cross-check; run by a Python that has torch.

    python concepts_torch_side.py MODEL NOTES ANSWERS

Loads the checkpoint with weights_only=True into the obvious module and compares what it makes of the notes with what
ranker detect answered at threshold 0.
"""

import json
import sys
from pathlib import Path

import concept_features
import torch
from torch import nn


class ConceptDetector(nn.Module):
    """What a reader of the documentation would write."""

    def __init__(self, rows, width, concepts, window=3):
        super().__init__()
        self.feature_embedding = nn.EmbeddingBag(rows, width, mode="sum", padding_idx=0)
        self.concepts = nn.Linear(width, concepts)
        self.window = window

    def forward(self, notes):
        """A note's best window; `notes` are lists of words, and those lists of features."""
        logits = []
        for words in notes:
            lengths = [len(word) for word in words]
            offsets = torch.tensor([0] + lengths[:-1]).cumsum(0)
            sums = self.feature_embedding(torch.tensor([id for word in words for id in word]), offsets)
            scale = (torch.tensor(lengths) * self.concepts.in_features).sqrt().unsqueeze(1)
            scores = (sums / scale) @ self.concepts.weight.T
            windows = torch.stack([scores[start : start + self.window].sum(0) for start in range(len(words))])
            logits.append(windows.max(0).values + self.concepts.bias)
        return torch.stack(logits)


def main():
    folder, notes, answers = (Path(argument) for argument in sys.argv[1:])
    state = torch.load(folder / "concept_model.pth", weights_only=True)
    (rows, width), concepts = state["feature_embedding.weight"].shape, state["concepts.bias"].shape[0]
    network = ConceptDetector(rows, width, concepts).eval()
    network.load_state_dict(state)
    assert not state["feature_embedding.weight"][0].any(), "row 0 is padding"

    texts = [json.loads(line)["text"] for line in notes.read_text(encoding="utf-8").splitlines()]
    with torch.no_grad():
        found = torch.sigmoid(network([concept_features.features(text) for text in texts]))
    answers = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    mapping = json.loads((folder / "concept_mapping.json").read_text())["concepts"]
    place = {concept["id"]: number for number, concept in enumerate(mapping)}
    worst = max(
        abs(found[row, place[concept["concept"]]].item() - concept["probability"])
        for row, answer in enumerate(answers) for concept in answer["concepts"])
    assert worst < 1e-4, f"probabilities differ by {worst}"
    print(f"{len(texts)} notes, probabilities at most {worst:.1e} apart")


main()
