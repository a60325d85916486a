"""Classifiers of texts against onnx, onnxruntime and, where a Python here has it, transformers."""

import json
import subprocess
from pathlib import Path

import exports
import pytorch

HERE = Path(__file__).resolve().parent
TOPICS = {"sea": ["tide", "wave", "salt"], "bread": ["oven", "flour", "yeast"], "sky": ["lens", "star", "orbit"]}
FILLER = ["the", "a", "of", "new", "old", "Big", "red", "été", "北京"]


def python_with_transformers():
    python = pytorch.python_with_torch()
    if python and subprocess.run([python, "-c", "import transformers"], capture_output=True).returncode == 0:
        return python
    return None


def write_data(path):
    """Labelled texts of several lengths; every fourth has two labels."""
    names = list(TOPICS)
    with open(path, "w", encoding="utf-8") as file:
        for index in range(90):
            labels = [names[index % 3]] + ([names[(index + 1) % 3]] if index % 4 == 3 else [])
            words = [FILLER[(index * step) % len(FILLER)] for step in range(1, 3 + index % 11)]
            words += [TOPICS[label][index % 7 % 3] for label in labels]
            text = " ".join(words) + f", {index}."
            file.write(json.dumps({"text": text, "taxonomy_codes": labels}, ensure_ascii=False) + "\n")


def ask_transformers(python, *arguments):
    result = subprocess.run([python, HERE / "encoders_torch_side.py", *arguments], capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip()[-2000:])
    return result.stdout.strip()


def check_classifier(tally, tools, python, folder, data, opset, options):
    """Trains one and lets the others judge its directory."""
    name = folder.name
    command = [
        "ranker", "train", "classification", "--data-path", data, "--output-dir", folder, "--opset", opset,
        "--epochs", 2, "--max-length", 24, "--learning-rate", 0.005, "--quiet", *options,
    ]
    tally.check(f"train {name}", lambda: tools.run(*command))
    tally.check(f"{name} in onnx.checker", lambda: exports.check_graph(folder / "model.onnx", opset))
    tally.check(
        f"{name}: onnxruntime replays the test data",
        lambda: exports.replay(folder / "model.onnx", folder / "test_data_set_0"))
    tally.check(f"{name}: onnx-verify", lambda: tools.run("onnx-verify", folder))
    if python:
        tally.check(
            f"{name}: transformers opens the directory as a sequence classifier with the same logits",
            lambda: print(ask_transformers(python, "compare", folder)))
    classified = folder.parent / f"{name}-answers.jsonl"
    tally.check(
        f"{name}: ranker classify",
        lambda: tools.run(
            "ranker", "classify", "--model", folder, "--input", data, "--threshold", 0, "--output", classified))
    if python:
        tally.check(
            f"{name}: classify's answers are transformers' for the same texts",
            lambda: print(ask_transformers(python, "classified", folder, classified)))


def check(tally, tools, directory):
    python = python_with_transformers()
    if python is None:
        print("left out: no Python here has transformers (TORCH_PYTHON=… names one)")
    data = directory / "texts.jsonl"
    write_data(data)
    models = directory / "models"
    check_classifier(tally, tools, python, models / "classifier-scratch", data, 17, ["--from-scratch"])
    if python is None:
        return
    for family, opset in (("bert", 17), ("distilbert", 21)):
        encoder = directory / f"encoder-{family}"
        tally.check(f"a random {family} of transformers", lambda: ask_transformers(python, "make", encoder, family))
        check_classifier(
            tally, tools, python, models / f"classifier-{family}", data, opset, ["--encoder", encoder])
        embedded = directory / f"embedded-{family}.jsonl"
        items = directory / "texts-items.jsonl"
        items.write_text("".join(
            json.dumps({"id": str(index), "text": json.loads(line)["text"]}) + "\n"
            for index, line in enumerate(data.read_text(encoding="utf-8").splitlines())), encoding="utf-8")
        tally.check(
            f"ranker embed with the random {family}",
            lambda: tools.run("ranker", "embed", "--encoder", encoder, "--input", items, "--output", embedded))
        tally.check(
            f"{family}: the embeddings are transformers' mean of hidden states",
            lambda: print(ask_transformers(python, "embeddings", encoder, embedded)))
