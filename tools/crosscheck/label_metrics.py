"""The measures of a classifier's training against scikit-learn's, from the decisions of `ranker classify`."""

import json

import numpy as np
from sklearn.metrics import log_loss, precision_recall_fscore_support

# Counts divided by counts in double precision; the loss is of probabilities in single precision.
EXACT, ROUNDED = 1e-12, 1e-5


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def matrix(rows, key, labels):
    """1 where a row has a label, `[rows, labels]`."""
    return np.array([[int(label in row[key]) for label in labels] for row in rows])


def compare(metadata, labels, actual, decided, probabilities):
    measured = metadata["validation"]
    if measured["samples"] != len(actual):
        raise AssertionError(f"{measured['samples']} samples were measured, {len(actual)} are held out")
    if not 0 < decided.sum() < decided.size or np.array_equal(actual, decided):
        raise AssertionError("the decisions are all alike or all right, which tells nothing about measures")
    for kind in ("micro", "macro"):
        *expected, _ = precision_recall_fscore_support(actual, decided, average=kind, zero_division=0)
        found = [measured[kind][name] for name in ("precision", "recall", "f1")]
        np.testing.assert_allclose(found, expected, rtol=0, atol=EXACT, err_msg=kind)
    of_labels = np.array(precision_recall_fscore_support(actual, decided, average=None, zero_division=0)).T
    if [row["label"] for row in measured["labels"]] != labels:
        raise AssertionError(f"the labels are {labels}, measured were {measured['labels']}")
    for row, expected in zip(measured["labels"], of_labels):
        found = [row[name] for name in ("precision", "recall", "f1", "support")]
        np.testing.assert_allclose(found, expected, rtol=0, atol=EXACT, err_msg=row["label"])
    losses = [log_loss(actual[:, label], probabilities[:, label], labels=[0, 1]) for label in range(len(labels))]
    np.testing.assert_allclose(measured["loss"], np.mean(losses), rtol=ROUNDED)
    print(f"scikit-learn agrees: micro F1 {measured['micro']['f1']:.3f}, macro F1 {measured['macro']['f1']:.3f}")


def check(tally, tools, directory, model, data):
    """`ranker data augment` holds out what a training of the same data and seed holds out."""
    held_out, decisions, everything = (directory / name for name in ("held.jsonl", "decisions.jsonl", "all.jsonl"))

    def prepare():
        tools.run(
            "ranker", "data", "augment", data, "--target-size", 1, "--output", directory / "rest.jsonl",
            "--validation-output", held_out)
        classify = ["ranker", "classify", "--model", model, "--input", held_out, "--output"]
        tools.run(*classify, decisions)
        tools.run(*classify, everything, "--threshold", 0)

    def judge():
        [path] = model.glob("*_metadata.json")
        metadata = json.loads(path.read_text())
        names = json.loads((model / "label_map.json").read_text())["id2label"]
        labels = [names[str(index)] for index in range(len(names))]
        samples, decided, told = lines_of(held_out), lines_of(decisions), lines_of(everything)
        if [row["text"] for row in samples] != [row["text"] for row in decided]:
            raise AssertionError("the answers are not in the order of the texts")
        probabilities = [dict(zip(row["labels"], row["probabilities"])) for row in told]
        compare(
            metadata, labels, matrix(samples, "taxonomy_codes", labels), matrix(decided, "labels", labels),
            np.array([[row[label] for label in labels] for row in probabilities], np.float64))

    tally.check(f"what {model.name} held out, classified", prepare)
    tally.check(f"{model.name}: precision, recall, F1 and loss are scikit-learn's", judge)
