"""Runs the node test cases that the onnx package ships through onnx-verify, in both runtimes, and counts by operator.

What must hold: in the reference runtime every case of an operator that it has passes; in the engine every case of an
operator that it has, where the case is of an opset that we read and of element types that the engine computes with.
"""

import json
import subprocess
from collections import defaultdict
from pathlib import Path

import onnx
import onnx.backend.test
from onnx import TensorProto

CASES = Path(onnx.backend.test.__file__).parent / "data/node"
RUNTIMES = ["reference", "engine"]
SUFFIX = "_expanded"  # cases whose operator is replaced by the body of its function


# What the engine computes with; the other types only pass through the reference runtime.
ENGINE_TYPES = {TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL}
# The opsets that we read (the cases go back to opset 1).
OPSETS = range(13, 22)

# Cases that cannot be replayed, or whose recorded numbers contradict the operator's text: a miss is no failure.
EXCEPTIONS = {
    "random numbers of another generator": [
        f"test_training_dropout{ending}" for ending in ("", "_default", "_default_mask", "_mask")
    ],
    "recorded by cutting bits off, where Cast rounds to the nearest (as onnxruntime and PyTorch do)": [
        "test_cast_FLOAT_to_BFLOAT16",
        "test_castlike_FLOAT_to_BFLOAT16",
        "test_castlike_FLOAT_to_BFLOAT16_expanded",
    ],
    "recorded with an epsilon of 0.01 that the node does not have": ["test_adam_multiple"],
    "recorded with windows past the padding counted as padding (onnxruntime counts as we do)": [
        "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True"
    ],
    "recorded with sums that wrapped around in 8 bits, where QLinearMatMul saturates": [
        f"test_qlinearmatmul_{rank}_int8_{kind}" for rank in ("2D", "3D") for kind in ("float16", "float32")
    ],
}


class Case:
    """One test case: its directory, the operator that it is about, and whether the engine claims its kind."""

    def __init__(self, path):
        self.path = path
        self.name = path.name
        model = onnx.load(str(path / "model.onnx"))
        node = model.graph.node[0]
        # A function's body spells an operator out in others.
        whole = SUFFIX not in self.name
        self.operator = (f"{node.domain}." if node.domain else "") + node.op_type if whole else "(function bodies)"
        opsets = {entry.domain: entry.version for entry in model.opset_import}
        values = [value.type for value in [*model.graph.input, *model.graph.output]]
        self.is_for_engine = opsets.get("", 0) in OPSETS and all(
            value.HasField("tensor_type") and value.tensor_type.elem_type in ENGINE_TYPES for value in values
        )


def results_of(tools, runtime, cases):
    """What onnx-verify says about each case, by its name."""
    # The relative tolerance of onnx's own test runner: some results were recorded with four decimals.
    command = [tools.binaries / "onnx-verify", "--runtime", runtime, "--rtol", "1e-3", "--json"]
    command += [case.path for case in cases]
    run = subprocess.run(command, cwd=tools.directory, capture_output=True, text=True)
    try:
        results = {Path(entry["path"]).name: entry for entry in json.loads(run.stdout)}
        return {case.name: results[case.name] for case in cases}
    except (ValueError, KeyError) as error:
        raise RuntimeError(f"exit {run.returncode}, {error!r}: {run.stderr.strip()[-1000:]}") from error


def reason_of(entry):
    """Why a case did not match, in a line."""
    if entry.get("failure"):
        return entry["failure"]
    broken = [f"{c['name']}: {c['detail']}" for report in entry["reports"] for c in report["checks"] if not c["passed"]]
    return "; ".join(broken)[:500] or entry["verdict"]


def check(tally, tools):
    cases = [Case(path) for path in sorted(CASES.iterdir()) if (path / "model.onnx").exists()]
    count = defaultdict(lambda: defaultdict(int))
    for case in cases:
        count[case.operator]["cases"] += 1

    reasons = {name: reason for reason, names in EXCEPTIONS.items() for name in names}
    unknown = reasons.keys() - {case.name for case in cases}
    if unknown:
        tally.fail("the list of exceptions", f"no such cases: {sorted(unknown)}")

    for runtime in RUNTIMES:
        results = tally.check(f"onnx-verify --runtime {runtime}", lambda: results_of(tools, runtime, cases))
        for case in cases if results else []:
            entry = results[case.name]
            if entry["verdict"] == "matched":
                tally.passed += 1
                count[case.operator][runtime] += 1
            elif case.name in reasons:
                print(f"{runtime}: {case.name} does not match: {reasons[case.name]}")
            elif not entry["unsupported"] and (runtime == "reference" or case.is_for_engine):
                tally.fail(f"{runtime}: {case.name} ({case.operator})", reason_of(entry))

    print(f"\n{'operator':<40}{'cases':>7}" + "".join(f"{runtime:>11}" for runtime in RUNTIMES))
    for operator in sorted(count):
        row = count[operator]
        print(f"{operator:<40}{row['cases']:>7}" + "".join(f"{row[runtime]:>11}" for runtime in RUNTIMES))
    for runtime in RUNTIMES:
        matched = sum(row[runtime] for row in count.values())
        some = sum(row[runtime] > 0 for row in count.values())
        print(f"{runtime}: {matched} of {len(cases)} cases match; {some} of {len(count)} operators")
