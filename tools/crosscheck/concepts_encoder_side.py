"""transformers' side of the cross-check of detectors on an encoder; run by a Python that has torch and transformers.

    python concepts_encoder_side.py MODEL ANSWERS

Loads the checkpoint with weights_only=True into transformers' BERT and a linear layer, makes tokens with its tokenizer, and
compares with what ranker detect answered at threshold 0. Texts are short enough to be read at once.
"""

import json
import sys
from pathlib import Path

import concept_features
import torch
import transformers


def main():
    folder, answers = (Path(argument) for argument in sys.argv[1:])
    network = json.loads((folder / "metadata.json").read_text())["network"]
    configuration = transformers.BertConfig.from_dict(network["encoder"]["config"])
    state = torch.load(folder / "concept_model.pth", weights_only=True)
    bert = transformers.BertModel(configuration, add_pooling_layer=False).eval()
    prefix = "bert."
    bert.load_state_dict({name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)})
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    mapping = json.loads((folder / "concept_mapping.json").read_text())["concepts"]
    place = {concept["id"]: number for number, concept in enumerate(mapping)}
    worst, count = 0, 0
    for line in answers.read_text(encoding="utf-8").splitlines():
        answer = json.loads(line)
        tokens = tokenizer(" ".join(concept_features.words(answer["text"])), return_tensors="pt")
        with torch.no_grad():
            states = bert(**tokens).last_hidden_state[0]
            scores = states @ state["concepts.weight"].T
            found = torch.sigmoid(scores.max(0).values + state["concepts.bias"])
        assert len(answer["concepts"]) == len(mapping), "every concept at threshold 0"
        for concept in answer["concepts"]:
            worst = max(worst, abs(found[place[concept["concept"]]].item() - concept["probability"]))
        count += 1
    assert worst < 1e-4, f"probabilities differ by {worst}"
    print(f"{count} notes, probabilities at most {worst:.1e} apart")


main()
