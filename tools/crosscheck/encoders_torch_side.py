"""The transformers side of the cross-checks of encoders.

    python encoders_torch_side.py make DIRECTORY FAMILY        # writes a small random encoder with a vocabulary
    python encoders_torch_side.py compare DIRECTORY            # the classifier's logits against its recorded ones
    python encoders_torch_side.py classified DIRECTORY ANSWERS # the classifier's tokens and probabilities against these
    python encoders_torch_side.py embeddings DIRECTORY ITEMS   # mean hidden states against the items' embeddings
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
import transformers
from onnx import numpy_helper

RELATIVE, ABSOLUTE = 1e-4, 1e-5  # onnx-verify's own defaults
HIDDEN_STATES = 1e-4  # what the project promises


def make(directory, family):
    torch.manual_seed(3)
    words = "the a of new old big red ete tide wave salt oven flour yeast lens star orbit , . 北 京".split()
    pieces = [f"{mark}{character}" for mark in ("", "##") for character in "abcdefghijklmnopqrstuvwxyz0123456789"]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *(p for p in pieces if p not in words)]
    directory.mkdir(parents=True)
    (directory / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    settings = {"do_lower_case": True, "model_max_length": 40}
    if family == "bert":
        configuration = transformers.BertConfig(
            vocab_size=len(tokens), hidden_size=24, num_hidden_layers=3, num_attention_heads=4, intermediate_size=40,
            max_position_embeddings=40, initializer_range=0.1)
        settings["tokenizer_class"] = "BertTokenizer"
    else:
        configuration = transformers.DistilBertConfig(
            vocab_size=len(tokens), dim=24, n_layers=2, n_heads=3, hidden_dim=40, max_position_embeddings=40,
            initializer_range=0.1)
        settings["tokenizer_class"] = "DistilBertTokenizer"
    (directory / "tokenizer_config.json").write_text(json.dumps(settings))
    transformers.AutoModel.from_config(configuration).save_pretrained(directory)


def recorded(directory, kind):
    paths = sorted((directory / "test_data_set_0").glob(f"{kind}_*.pb"))
    tensors = [onnx.load_tensor(str(path)) for path in paths]
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in tensors}


def compare(directory):
    model = transformers.AutoModelForSequenceClassification.from_pretrained(directory).eval()
    inputs, outputs = recorded(directory, "input"), recorded(directory, "output")
    labels = json.loads((directory / "label_map.json").read_text())["id2label"]
    if {str(key): value for key, value in model.config.id2label.items()} != labels:
        raise AssertionError(f"id2label is {model.config.id2label}, label_map.json has {labels}")
    if model.config.problem_type != "multi_label_classification":
        raise AssertionError(f"problem_type is {model.config.problem_type}")
    with torch.no_grad():
        logits = model(**{name: torch.tensor(value) for name, value in inputs.items()}).logits
    np.testing.assert_allclose(logits.numpy(), outputs["logits"], rtol=RELATIVE, atol=ABSOLUTE)
    np.testing.assert_allclose(torch.sigmoid(logits).numpy(), outputs["probabilities"], rtol=RELATIVE, atol=ABSOLUTE)
    state = torch.load(directory / "pytorch_model.bin", weights_only=True)
    missing = set(model.state_dict()) - set(state)
    if missing:
        raise AssertionError(f"pytorch_model.bin lacks {sorted(missing)[:5]}")
    print(f"{logits.numel()} logits agree")


def classified(directory, answers):
    """Texts through transformers' own tokenizer and network, against what `ranker classify` said of them."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(directory).eval()
    [metadata] = directory.glob("*_metadata.json")
    longest = json.loads(metadata.read_text())["max_length"]
    largest, count = 0.0, 0
    for line in answers.read_text(encoding="utf-8").splitlines():
        answer = json.loads(line)
        inputs = tokenizer([answer["text"]], truncation=True, max_length=longest, return_tensors="pt")
        with torch.no_grad():
            expected = torch.sigmoid(model(**inputs).logits)[0].numpy()
        found = np.zeros(len(expected))
        for label, probability in zip(answer["labels"], answer["probabilities"]):
            found[model.config.label2id[label]] = probability
        largest, count = max(largest, float(np.abs(expected - found).max())), count + 1
    if largest > RELATIVE or count == 0:
        raise AssertionError(f"{count} texts, the largest difference is {largest}")
    print(f"{count} texts agree, the largest difference of a probability is {largest:.1e}")


def embeddings(directory, items):
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model = transformers.AutoModel.from_pretrained(directory).eval()
    largest, count = 0.0, 0
    for line in items.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        longest = min(tokenizer.model_max_length, model.config.max_position_embeddings)
        inputs = tokenizer([item["text"]], truncation=True, max_length=longest, return_tensors="pt")
        with torch.no_grad():
            mean = model(**inputs).last_hidden_state.mean(1)
        expected = torch.nn.functional.normalize(mean, dim=1)[0].numpy()
        largest, count = max(largest, float(np.abs(expected - np.array(item["embedding"])).max())), count + 1
    if largest > HIDDEN_STATES:
        raise AssertionError(f"the largest difference is {largest}")
    print(f"{count} embeddings agree, the largest difference is {largest:.1e}")


if __name__ == "__main__":
    command, directory, *others = sys.argv[1:]
    transformers.logging.set_verbosity_error()
    if command == "make":
        make(Path(directory), others[0])
    elif command == "compare":
        compare(Path(directory))
    elif command == "classified":
        classified(Path(directory), Path(others[0]))
    else:
        embeddings(Path(directory), Path(others[0]))
