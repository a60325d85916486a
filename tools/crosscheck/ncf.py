"""NCF models against onnx, onnxruntime and PyTorch: the exported graph, and the checkpoint in a module of PyTorch's."""

import subprocess
from pathlib import Path

import exports
import numpy as np
import pytorch

HERE = Path(__file__).resolve().parent
USERS, ITEMS = 40, 50


def record_all_pairs(graph, output):
    """onnxruntime's scores of every user with every item."""
    user, item = (part.ravel().astype(np.int64) for part in np.meshgrid(np.arange(USERS), np.arange(ITEMS)))
    [score] = exports.session_of(graph).run(None, {"user": user, "item": item})
    np.savez(output, user=user, item=item, score=score)


def pytorch_agrees(python, checkpoint, graph, recorded):
    record_all_pairs(graph, recorded)
    command = [python, HERE / "ncf_torch_side.py", checkpoint, recorded]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip()[-2000:])


def check(tally, tools, directory):
    python = pytorch.python_with_torch()
    lines = [f"u{user},i{(user * 3 + step * step) % ITEMS}" for user in range(USERS) for step in range(ITEMS // 2)]
    (directory / "interactions.csv").write_text("user_id,item_id\n" + "\n".join(lines) + "\n")
    for architecture, opset, options in (
        ("mlp", 17, []), ("gmf", 13, ["--loss", "bpr"]), ("neumf", 21, ["--dropout", "0.2", "--leave-one-out"]),
    ):
        name = f"ncf-{architecture}"
        folder = directory / "models" / name
        graph, data_set = folder / "ncf.onnx", folder / "ncf_test_data_set_0"
        command = [
            "ranker", "train", "ncf", "--data-path", "interactions.csv", "--output-path", folder / "ncf.pt",
            "--architecture", architecture, "--opset", opset, "--epochs", 2, "--embedding-dim", 8,
            "--hidden-layers", "16,8", "--quiet", *options,
        ]
        tally.check(f"train {name}", lambda: tools.run(*command))
        tally.check(f"{name} in onnx.checker", lambda: exports.check_graph(graph, opset))
        tally.check(f"{name}: onnxruntime replays the test data", lambda: exports.replay(graph, data_set))
        if python:
            tally.check(
                f"{name}: torch.load(weights_only=True), and onnxruntime's scores in the obvious module",
                lambda: pytorch_agrees(python, folder / "ncf.pt", graph, directory / "ncf.npz"))
        tally.check(f"{name}: onnx-verify", lambda: tools.run("onnx-verify", folder / "ncf.pt"))
