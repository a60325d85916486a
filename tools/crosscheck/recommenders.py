"""ALS and popularity models against onnx, onnxruntime and PyTorch, and the commands that use recommenders."""

import json
import subprocess
from pathlib import Path

import exports
import numpy as np
import pytorch

HERE = Path(__file__).resolve().parent
RELATIVE, ABSOLUTE = exports.RELATIVE, exports.ABSOLUTE


def check(tally, tools, directory):
    """Trains on the bundled interactions, without a data path, and judges what was written."""
    models = directory / "models/recommenders"
    python = pytorch.python_with_torch()
    for opset in (13, 17, 21):
        folder = models / f"opset-{opset}"
        shared = ["--output-dir", folder, "--opset", opset, "--quiet"]
        tally.check(f"train als, opset {opset}", lambda: tools.run("ranker", "train", "als", "--iterations", 3, *shared))
        tally.check(f"train popular, opset {opset}", lambda: tools.run("ranker", "train", "popular", *shared))
        for name in ("als", "popularity"):
            check_files(tally, tools, folder, name, opset)
            if python:
                tally.check(f"{name}, opset {opset}: PyTorch", lambda: in_torch(python, folder / f"{name}.pt"))
        tally.check(f"onnx-verify of both in {folder.name}", lambda: tools.run("onnx-verify", folder))
    ncf = models / "ncf.pt"
    tally.check("train ncf", lambda: tools.run("ranker", "train", "ncf", "--epochs", 2, "--output-path", ncf, "--quiet"))
    tally.check("ranker models list names every kind", lambda: listed(tools, models))
    tally.check("recommend, predict and similar agree", lambda: used(tools, ncf, models / "opset-17/als.pt"))


def check_files(tally, tools, folder, name, opset):
    """Both graphs, the recorded samples of both, and the verifier."""
    for graph in (name, f"{name}_top_k"):
        label = f"{graph}, opset {opset}"
        tally.check(f"{label}: onnx.checker", lambda: exports.check_graph(folder / f"{graph}.onnx", opset))
        data_set = folder / f"{graph}_test_data_set_0"
        tally.check(f"{label}: onnxruntime replays", lambda: exports.replay(folder / f"{graph}.onnx", data_set))
    tally.check(f"{name}, opset {opset}: top-k is the order of all scores", lambda: top_k(folder, name))
    tally.check(f"{name}, opset {opset}: onnx-verify", lambda: tools.run("onnx-verify", folder / f"{name}.onnx"))


def top_k(folder, name):
    """The top-k graph gives what sorting the scores of the other graph gives."""
    users = np.array([3, 0, 41], np.int64)
    [scores] = exports.session_of(folder / f"{name}.onnx").run(None, {"user": users})
    feed = {"user": users, "k": np.array([7], np.int64)}
    items, best = exports.session_of(folder / f"{name}_top_k.onnx").run(None, feed)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :7]
    np.testing.assert_allclose(best, np.take_along_axis(scores, order, 1), rtol=RELATIVE, atol=ABSOLUTE)
    np.testing.assert_allclose(np.take_along_axis(scores, items, 1), best, rtol=RELATIVE, atol=ABSOLUTE)


def in_torch(python, checkpoint):
    """torch.load with weights_only, the keys that the README names, and the network's own scores."""
    record = checkpoint.with_name(f"{checkpoint.stem}_test_data_set_0")
    arrays = dict(exports.recorded_tensors(record, "input")) | dict(exports.recorded_tensors(record, "output"))
    saved = checkpoint.with_suffix(".npz")
    np.savez(saved, **arrays)
    result = subprocess.run(
        [python, HERE / "torch_recommenders.py", checkpoint, saved], capture_output=True, text=True
    )
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip()[-2000:])


def listed(tools, models):
    entries = json.loads(tools.run("ranker", "models", "list", "--directory", models, "--json"))
    kinds = sorted({entry["kind"] for entry in entries})
    if kinds != ["als", "ncf", "popularity"]:
        raise AssertionError(f"listed {kinds}")


def used(tools, ncf, als):
    """What one command recommends, another predicts with the same score; a new user is placed by what was seen."""

    def answers(command, *arguments):
        return json.loads(tools.run("ranker", command, *arguments, "--json"))

    rows = tools.run("ranker", "recommend", "--model", ncf, "--all-users", "--output", "-").splitlines()
    first = json.loads(rows[0])
    user, item = first["user_id"], first["item_id"]
    [answer] = answers("predict", "--model", ncf, "--user", user, "--items", item)
    np.testing.assert_allclose(answer["score"], first["score"], rtol=RELATIVE, atol=ABSOLUTE)
    [single] = answers("recommend", "--model", ncf, "--user", user)
    if [entry["item"] for entry in single["items"]] != [json.loads(row)["item_id"] for row in rows[:10]]:
        raise AssertionError(f"one user alone got {single}")
    [similar] = answers("similar", "--model", als, "--item", item)
    if len(similar["similar"]) != 10 or not all(-1.001 <= entry["cosine"] <= 1.001 for entry in similar["similar"]):
        raise AssertionError(f"10 similar items were expected: {similar}")
    [new] = answers("recommend", "--model", als, "--items-seen", item)
    if new["source"] != "fold_in" or item in [entry["item"] for entry in new["items"]]:
        raise AssertionError(f"a fold-in without {item} was expected: {new}")
