"""Checks exported files with libraries of other people: onnx, onnxruntime, safetensors."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import safetensors.numpy
from onnx import numpy_helper

RELATIVE, ABSOLUTE = 1e-4, 1e-5  # onnx-verify's own defaults
HALF_RELATIVE, HALF_ABSOLUTE = 2e-2, 2e-2  # 11 bits of mantissa, through three layers


def check_graph(path, opset=None):
    """onnx.checker with full checks, then shape inference that is strict about types."""
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(str(path))
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    found = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    if opset is not None and found != {"ai.onnx": opset}:
        raise ValueError(f"expected opset {opset} alone, found {found}")


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def recorded_tensors(directory, kind):
    """The tensors of input_0.pb … or output_0.pb …, in order, as (name, array)."""
    paths = sorted(Path(directory).glob(f"{kind}_*.pb"), key=lambda p: int(p.stem.split("_")[-1]))
    if not paths:
        raise FileNotFoundError(f"no {kind}_*.pb in {directory}")
    tensors = [onnx.load_tensor(str(path)) for path in paths]
    return [(tensor.name, numpy_helper.to_array(tensor)) for tensor in tensors]


def replay(path, data_set, absolute=ABSOLUTE):
    """onnxruntime on the recorded inputs gives the recorded outputs. Returns the largest absolute difference."""
    session = session_of(path)
    inputs, outputs = recorded_tensors(data_set, "input"), recorded_tensors(data_set, "output")
    declared_inputs = [value.name for value in session.get_inputs()]
    declared_outputs = [value.name for value in session.get_outputs()]
    if [name for name, _ in inputs] != declared_inputs or [name for name, _ in outputs] != declared_outputs:
        recorded = [name for name, _ in inputs + outputs]
        raise ValueError(f"the data set names {recorded}, the graph {declared_inputs + declared_outputs}")
    largest = 0.0
    for (name, expected), found in zip(outputs, session.run(None, dict(inputs))):
        if (found.dtype, found.shape) != (expected.dtype, expected.shape):
            raise AssertionError(f"{name}: {found.dtype}{found.shape}, recorded {expected.dtype}{expected.shape}")
        np.testing.assert_allclose(found, expected, rtol=RELATIVE, atol=absolute, err_msg=name)
        largest = max(largest, float(np.abs(found - expected).max()))
    return largest


def as_declared(session, arrays):
    """The arrays in the element types that the session's inputs declare: a float16 graph may take float16."""
    declared = {value.name: value.type for value in session.get_inputs()}
    return {
        name: array.astype(np.float16) if declared[name] == "tensor(float16)" else array
        for name, array in arrays.items()
    }


def scorer_agrees(scorer, data_set):
    """The scorer alone gives both scores that the pair graph recorded, and their difference is its first output."""
    session = session_of(scorer)
    [feed] = [value.name for value in session.get_inputs()]
    inputs = dict(recorded_tensors(data_set, "input"))
    outputs = dict(recorded_tensors(data_set, "output"))
    for side in "ab":
        [found] = session.run(None, as_declared(session, {feed: inputs[f"input_{side}"]}))
        expected = outputs[f"score_{side}"]
        np.testing.assert_allclose(found, expected, rtol=RELATIVE, atol=ABSOLUTE, err_msg=f"score_{side}")
    difference = outputs["score_a"] - outputs["score_b"]
    np.testing.assert_allclose(difference, outputs["score_diff"], rtol=RELATIVE, atol=ABSOLUTE)


def half_agrees(path, data_set):
    """A graph in float16 gives the recorded outputs about as well as float16 can."""
    session = session_of(path)
    feed = as_declared(session, dict(recorded_tensors(data_set, "input")))
    names = [value.name for value in session.get_outputs()]
    expected = dict(recorded_tensors(data_set, "output"))
    for name, found in zip(names, session.run(None, feed)):
        np.testing.assert_allclose(
            found.astype(np.float32), expected[name], rtol=HALF_RELATIVE, atol=HALF_ABSOLUTE, err_msg=name
        )


def refuses_other_widths(scorer):
    """The declared width is fixed: onnxruntime refuses a feature too many."""
    session = session_of(scorer)
    [value] = session.get_inputs()
    wrong = np.zeros((1, value.shape[1] + 1), np.float32)
    try:
        session.run(None, {value.name: wrong})
    except Exception:
        return
    raise AssertionError(f"{wrong.shape} was accepted, though the graph declares {value.shape}")


def parameters_of(graph):
    """A graph's initializers, by name."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(str(graph)).graph.initializer}


def safetensors_agree(path, graph):
    """A safetensors file holds the parameters of the graph, bit for bit, under the same names."""
    parameters = parameters_of(graph)
    tensors = safetensors.numpy.load_file(str(path))
    named = {name for name in parameters if name.startswith(("shared_layer.", "score_layer."))}
    if not named or not named <= tensors.keys():
        raise AssertionError(f"the graph has the parameters {sorted(named)}, the file {sorted(tensors)}")
    for name in named:
        if parameters[name].tobytes() != tensors[name].tobytes() or parameters[name].shape != tensors[name].shape:
            raise AssertionError(f"{name} differs")
