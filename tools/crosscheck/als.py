"""Factorisations and popularity against onnx, onnxruntime and PyTorch: the exported graphs, and the checkpoint's product."""

import random
import subprocess
from pathlib import Path

import exports
import numpy as np
import pytorch

HERE = Path(__file__).resolve().parent
USERS, ITEMS = 40, 50


def record_scores(model, output):
    """onnxruntime's scores of all items for every user, and its ten best."""
    user = np.arange(USERS, dtype=np.int64)
    [scores] = exports.session_of(model.with_suffix(".onnx")).run(["scores"], {"user": user})
    top = exports.session_of(model.with_name(f"{model.stem}_top_k.onnx"))
    items, best = top.run(["items", "scores"], {"user": user, "k": np.array([10], dtype=np.int64)})
    np.savez(output, scores=scores, items=items, best=best)


def pytorch_agrees(python, checkpoint, recorded):
    record_scores(checkpoint, recorded)
    command = [python, HERE / "als_torch_side.py", checkpoint, recorded]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip()[-2000:])


def check(tally, tools, directory):
    python = pytorch.python_with_torch()
    # Without a pattern: items that stand alike have equal scores but for rounding, and any order of them is right.
    draw = random.Random(5)
    lines = [f"u{user},i{item}" for user in range(USERS) for item in draw.sample(range(ITEMS), 12)]
    (directory / "interactions.csv").write_text("user_id,item_id\n" + "\n".join(lines) + "\n")
    for kind, name, opset, options in (
        ("als", "als", 17, ["--factors", 8]), ("als", "als-old", 13, ["--factors", 5, "--solver", "conjugate-gradient"]),
        ("als", "als-new", 21, ["--factors", 12, "--block-size", 4, "--leave-one-out"]),
        ("popular", "popularity", 17, []), ("popular", "popularity-old", 13, []), ("popular", "popularity-new", 21, []),
    ):
        # All in one directory, as they may be.
        folder = directory / "models/factors"
        command = [
            "ranker", "train", kind, "--data-path", "interactions.csv", "--output-dir", folder, "--name", name,
            "--opset", opset, "--quiet", *options,
        ]
        tally.check(f"train {name}", lambda: tools.run(*command))
        for stem in (name, f"{name}_top_k"):
            graph, data_set = folder / f"{stem}.onnx", folder / f"{stem}_test_data_set_0"
            tally.check(f"{stem} in onnx.checker", lambda: exports.check_graph(graph, opset))
            tally.check(f"{stem}: onnxruntime replays the test data", lambda: exports.replay(graph, data_set))
        if python:
            tally.check(
                f"{name}: torch.load(weights_only=True), and onnxruntime's scores in PyTorch's product",
                lambda: pytorch_agrees(python, folder / f"{name}.pt", directory / "als.npz"))
        tally.check(f"{name}: onnx-verify", lambda: tools.run("onnx-verify", folder / f"{name}.pt"))
