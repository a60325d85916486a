"""The PyTorch part of the cross-checks, by whichever Python has torch; says so where none has."""

import os
import shutil
import subprocess
from pathlib import Path

import exports
import numpy as np

HERE = Path(__file__).resolve().parent
# TORCH_PYTHON names one; `tools/bench --peers` makes the second; the third is the system's own.
CANDIDATES = [os.environ.get("TORCH_PYTHON"), HERE.parent.parent / ".cache/peers/bin/python", shutil.which("python3")]


def python_with_torch():
    for candidate in CANDIDATES:
        if candidate and Path(candidate).exists():
            result = subprocess.run([candidate, "-c", "import torch, numpy"], capture_output=True)
            if result.returncode == 0:
                return str(candidate)
    return None


def record(model, output):
    """What the graph's linear layers saw and what came out: the recorded inputs, standardised as the graph does it."""
    parameters = exports.parameters_of(model / "pairwise_ranker.onnx")
    data = dict(exports.recorded_tensors(model / "test_data_set_0", "input"))
    data |= dict(exports.recorded_tensors(model / "test_data_set_0", "output"))
    mean, deviation = parameters["feature_mean"], parameters["feature_std"]
    for side in "ab":
        features = data[f"input_{side}"]
        data[f"standardised_{side}"] = (np.where(np.isnan(features), mean, features) - mean) / deviation
    np.savez(output, **data)


def check(tally, tools, model, directory):
    python = python_with_torch()
    if python is None:
        print("left out: no Python here has torch (TORCH_PYTHON=… names one; `tools/bench --peers` installs it)")
        return
    recorded, saved = directory / "recorded.npz", directory / "from_torch.pth"

    def load_in_torch():
        record(model, recorded)
        result = subprocess.run(
            [python, HERE / "torch_side.py", model / "pairwise_ranker.pth", recorded, saved],
            capture_output=True, text=True,
        )
        if result.returncode != 0:
            raise RuntimeError(result.stderr.strip()[-2000:])
        print(result.stdout.strip())

    tally.check("torch.load(weights_only=True) of the .pth, scores in the obvious module", load_in_torch)
    tally.check(
        "ranker trains further from what torch.save wrote",
        lambda: tools.run(
            "ranker", "train", "pairwise", "--input", "dataset.jsonl", "--output", directory / "models/from-torch",
            "--init-from", saved, "--epochs", 1, "--quiet",
        ),
    )
