"""Runs the node test cases that the onnx package ships through onnx-verify, in both runtimes, and counts by operator.

Expects `onnx-verify --runtime reference|engine --json DIR…` to print one JSON object a line, in the order of the
directories: {"path": …, "verdict": "match" | "mismatch" | "unsupported" | "error", "message": …}. "unsupported" means
that the runtime makes no claim: it has no such operator, or (the engine) does not compute with such element types or
with so old an opset. All else but a match is a failure.
"""

import json
import subprocess
from collections import defaultdict
from pathlib import Path

import onnx
import onnx.backend.test

CASES = Path(onnx.backend.test.__file__).parent / "data/node"
RUNTIMES = ["reference", "engine"]
SUFFIX = "_expanded"  # cases whose operator is replaced by the body of its function


def operators_of(cases):
    """The operator that each case is about; "(function bodies)" for those that spell an operator out in others."""
    result = {}
    for case in cases:
        nodes = onnx.load(str(case / "model.onnx")).graph.node
        spelled_out = SUFFIX in case.name
        domain = nodes[0].domain + "." if nodes[0].domain else ""
        result[case.name] = "(function bodies)" if spelled_out else domain + nodes[0].op_type
    return result


def verdicts_of(tools, runtime, cases):
    """What onnx-verify says about each case, by its name."""
    command = [tools.binaries / "onnx-verify", "--runtime", runtime, "--json", *cases]
    result = subprocess.run(command, cwd=tools.directory, capture_output=True, text=True)
    verdicts = {}
    for line in result.stdout.splitlines():
        entry = json.loads(line)
        verdicts[Path(entry["path"]).name] = entry
    if len(verdicts) != len(cases):
        said = result.stderr.strip()[-1000:]
        raise RuntimeError(f"{len(verdicts)} verdicts for {len(cases)} cases, exit {result.returncode}: {said}")
    return verdicts


def check(tally, tools):
    cases = sorted(path for path in CASES.iterdir() if (path / "model.onnx").exists())
    operators = operators_of(cases)
    count = defaultdict(lambda: defaultdict(int))
    for case in cases:
        count[operators[case.name]]["cases"] += 1

    for runtime in RUNTIMES:
        verdicts = tally.check(f"{runtime}: onnx-verify runs the cases", lambda: verdicts_of(tools, runtime, cases))
        for name, entry in (verdicts or {}).items():
            count[operators[name]][runtime] += entry["verdict"] == "match"
            if entry["verdict"] == "match":
                tally.passed += 1
            elif entry["verdict"] != "unsupported":
                tally.fail(f"{runtime}: {name} ({operators[name]})", f"{entry['verdict']}: {entry.get('message')}")

    print(f"\n{'operator':<40}{'cases':>7}" + "".join(f"{runtime:>11}" for runtime in RUNTIMES))
    for operator in sorted(count):
        row = count[operator]
        print(f"{operator:<40}{row['cases']:>7}" + "".join(f"{row[runtime]:>11}" for runtime in RUNTIMES))
    for runtime in RUNTIMES:
        matched = sum(row[runtime] for row in count.values())
        whole = sum(row["cases"] == row[runtime] for row in count.values())
        print(f"{runtime}: {matched} of {len(cases)} cases match, {whole} of {len(count)} operators in every case")
