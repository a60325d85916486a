"""Classifiers of texts against onnx, onnxruntime, scikit-learn and, where a Python here has it, transformers; and
graphs of PyTorch's exporters in both of our runtimes."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import exports
import label_metrics
import numpy as np
import onnx
import pytorch
import safetensors.numpy
from onnx import numpy_helper

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent.parent / "Tests"
# A small BERT with a vocabulary, as transformers wrote it.
SMALL_ENCODER = TESTS / "TextClassificationTests/Resources/encoder"
# A small BERT and a small DistilBERT as PyTorch's exporters write them, with what PyTorch computed.
EXPORTED = TESTS / "EncodersTests/Resources"
SAMPLE = HERE.parent.parent / "Sources/TextClassification/Resources/classification_test.json"
# Where tools/fetch-encoder puts a real one.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
FETCHED = CACHE / "rankerkit/encoders/all-MiniLM-L6-v2"
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


def lost_in_bytes(folder):
    """How far 8 bits move the recorded outputs. A number between two bytes may become either of them, and the layers
    behind pass that on, so onnxruntime may be as far from the recorded outputs as they are from single precision's."""
    whole, rounded = (
        exports.recorded_tensors(folder / name, "output") for name in ("test_data_set_0", "int8_test_data_set_0"))
    lost = max(float(abs(a - b).max()) for (_, a), (_, b) in zip(whole, rounded))
    if not 0 < lost < 2:
        raise ValueError(f"8 bits moved the outputs by {lost}")
    return lost


def check_classifier(tally, tools, python, folder, data, opset, options, epochs=2):
    """Trains one and lets the others judge its directory."""
    name = folder.name
    command = [
        "ranker", "train", "classification", "--data-path", data, "--output-dir", folder, "--opset", opset,
        "--epochs", epochs, "--max-length", 24, "--learning-rate", 0.005, "--precision", "int8", "--quiet", *options,
    ]
    tally.check(f"train {name}", lambda: tools.run(*command))
    tally.check(f"{name} in onnx.checker", lambda: exports.check_graph(folder / "model.onnx", opset))
    tally.check(
        f"{name}: onnxruntime replays the test data",
        lambda: exports.replay(folder / "model.onnx", folder / "test_data_set_0"))
    tally.check(
        f"{name} in 8 bits, in onnx.checker", lambda: exports.check_graph(folder / "model_int8.onnx", opset))
    tally.check(
        f"{name} in 8 bits: onnxruntime replays the test data",
        lambda: exports.replay(
            folder / "model_int8.onnx", folder / "int8_test_data_set_0", absolute=lost_in_bytes(folder)))
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


def exported_graphs():
    """The graphs of the test resources, each with the batches that PyTorch computed: (graph, [(inputs, logits)])."""
    for family in ("bert", "distilbert"):
        recorded = safetensors.numpy.load_file(str(EXPORTED / family / "recorded.safetensors"))
        for graph in sorted(EXPORTED.glob(f"{family}*.onnx")):
            names = [value.name for value in onnx.load(str(graph)).graph.input]
            batches = [
                ({name: recorded[f"{batch}.{name}"] for name in names}, recorded[f"{batch}.logits"])
                for batch in ("one", "longest", "padded")
            ]
            yield graph, batches


def check_exported_by_pytorch(tally, tools, directory):
    """Graphs that are not ours: in onnxruntime and in both of our runtimes they give what PyTorch computed."""

    def in_onnxruntime(graph, batches):
        session = exports.session_of(graph)
        for inputs, logits in batches:
            [found] = session.run(["logits"], inputs)
            np.testing.assert_allclose(found, logits, rtol=exports.RELATIVE, atol=exports.ABSOLUTE)

    def write_test_data(graph, batches, folder):
        for number, (inputs, logits) in enumerate(batches):
            data_set = folder / f"test_data_set_{number}"
            data_set.mkdir(parents=True)
            for kind, tensors in (("input", inputs), ("output", {"logits": logits})):
                for index, (name, values) in enumerate(tensors.items()):
                    tensor = numpy_helper.from_array(values, name)
                    (data_set / f"{kind}_{index}.pb").write_bytes(tensor.SerializeToString())
        shutil.copy(graph, folder / "model.onnx")

    for graph, batches in exported_graphs():
        name = graph.name
        tally.check(f"{name} in onnx.checker", lambda: exports.check_graph(graph))
        tally.check(f"{name} in onnxruntime", lambda: in_onnxruntime(graph, batches))
        folder = directory / f"exported-{graph.stem}"
        write_test_data(graph, batches, folder)
        for runtime in ("reference", "engine"):
            tally.check(
                f"{name} in onnx-verify --runtime {runtime}",
                lambda: tools.run("onnx-verify", folder, "--runtime", runtime))


def check_embeddings(tally, tools, python, directory, encoder, texts):
    """`ranker embed` on texts beside transformers: the mean of the last hidden states."""
    items, embedded = (directory / f"{encoder.name}-{name}.jsonl" for name in ("items", "embedded"))
    rows = [json.dumps({"id": str(index), "text": text}) + "\n" for index, text in enumerate(texts)]
    items.write_text("".join(rows), encoding="utf-8")
    tally.check(
        f"ranker embed with {encoder.name}",
        lambda: tools.run("ranker", "embed", "--encoder", encoder, "--input", items, "--output", embedded))
    tally.check(
        f"{encoder.name}: the embeddings are transformers' mean of hidden states",
        lambda: print(ask_transformers(python, "embeddings", encoder, embedded)))


def check(tally, tools, directory):
    python = python_with_transformers()
    if python is None:
        print("left out: no Python here has transformers (TORCH_PYTHON=… names one)")
    check_exported_by_pytorch(tally, tools, directory)
    data = directory / "texts.jsonl"
    write_data(data)
    models = directory / "models"
    check_classifier(tally, tools, python, models / "classifier-scratch", data, 17, ["--from-scratch"])
    fine_tuned = models / "classifier-fine-tuned"
    # Long enough that some labels are found and some are not: measures of nothing would tell nothing.
    check_classifier(tally, tools, python, fine_tuned, data, 19, ["--encoder", SMALL_ENCODER], epochs=6)
    label_metrics.check(tally, tools, directory, fine_tuned, data)
    check_classifier(
        tally, tools, python, models / "classifier-distilled", data, 20, ["--distil-from", fine_tuned, "--layers", 1])
    if python is None:
        return
    for family, opset in (("bert", 17), ("distilbert", 21)):
        encoder = directory / f"encoder-{family}"
        tally.check(f"a random {family} of transformers", lambda: ask_transformers(python, "make", encoder, family))
        check_classifier(
            tally, tools, python, models / f"classifier-{family}", data, opset, ["--encoder", encoder])
        texts = [json.loads(line)["text"] for line in data.read_text(encoding="utf-8").splitlines()]
        check_embeddings(tally, tools, python, directory, encoder, texts)
    if not FETCHED.exists():
        print(f"left out: {FETCHED.name} on the bundled texts (tools/fetch-encoder obtains it)")
        return
    samples = json.loads(SAMPLE.read_text())["samples"]
    check_embeddings(tally, tools, python, directory, FETCHED, [sample["text"] for sample in samples])
