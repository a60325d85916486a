#!/usr/bin/env python3
"""Makes the files of this folder with onnx 1.16.2, which the tests compare with, and PyTorch for two of them.

    python make.py            everything that needs only onnx and numpy
    python make.py --torch    ranker.onnx and encoder.onnx too (made with torch 2, opset 17)

All tensors are stored as raw data except in typed_data.onnx, so a model that is read and written again must give the
same bytes that Python wrote.
"""

import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, TypeProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent

# Every element type that onnx 1.16.2 has, with bytes for [3] elements.
WIDTHS = {
    "FLOAT": 32, "UINT8": 8, "INT8": 8, "UINT16": 16, "INT16": 16, "INT32": 32, "INT64": 64, "BOOL": 8, "FLOAT16": 16,
    "DOUBLE": 64, "UINT32": 32, "UINT64": 64, "COMPLEX64": 64, "COMPLEX128": 128, "BFLOAT16": 16, "FLOAT8E4M3FN": 8,
    "FLOAT8E4M3FNUZ": 8, "FLOAT8E5M2": 8, "FLOAT8E5M2FNUZ": 8, "UINT4": 4, "INT4": 4,
}


def raw(name, kind, dims, data):
    tensor = TensorProto(name=name, data_type=TensorProto.DataType.Value(kind), dims=dims)
    tensor.raw_data = data
    return tensor


def save(model, name):
    (HERE / name).write_bytes(model.SerializeToString(deterministic=True))


def element_types():
    """One initializer of three elements a type, raw; and the same from the typed fields."""
    raws, typed = [], []
    for kind, bits in WIDTHS.items():
        size = (3 * bits + 7) // 8
        data = bytes((7 * i + 3) % 120 for i in range(size))
        if kind == "BOOL":
            data = bytes([1, 0, 1])
        if bits == 4:
            data = bytes([0x21, 0x03])
        raws.append(raw(kind.lower(), kind, [3], data))
        t = TensorProto(name=kind.lower(), data_type=TensorProto.DataType.Value(kind), dims=[3])
        if kind in ("FLOAT", "COMPLEX64"):
            t.float_data.extend(np.frombuffer(data, "<f4").tolist())
        elif kind in ("DOUBLE", "COMPLEX128"):
            t.double_data.extend(np.frombuffer(data, "<f8").tolist())
        elif kind == "INT64":
            t.int64_data.extend(np.frombuffer(data, "<i8").tolist())
        elif kind in ("UINT32", "UINT64"):
            t.uint64_data.extend(np.frombuffer(data, f"<u{bits // 8}").tolist())
        else:
            code = {"INT8": "i1", "INT16": "<i2", "INT32": "<i4"}.get(kind, "<u2" if bits == 16 else "u1")
            t.int32_data.extend(np.frombuffer(data, code).tolist())
        typed.append(t)
    text = TensorProto(name="string", data_type=TensorProto.STRING, dims=[3])
    text.string_data.extend([b"one", b"\xff\x00", b""])
    for name, tensors in (("raw_data.onnx", raws), ("typed_data.onnx", typed)):
        output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])
        node = helper.make_node("Identity", ["float"], ["y"])
        graph = helper.make_graph([node], "types", [], [output], tensors + [text])
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), name)


def everything():
    """Each message and field of the format at least once, empty texts among them."""
    number = raw("number", "FLOAT", [], np.float32(2.5).tobytes())
    number.doc_string = ""
    number.metadata_props.add(key="k", value="")
    sparse = onnx.SparseTensorProto(dims=[4, 5])
    sparse.values.CopyFrom(raw("sparse", "FLOAT", [2], np.array([1, 2], "<f4").tobytes()))
    sparse.indices.CopyFrom(raw("", "INT64", [2], np.array([3, 7], "<i8").tobytes()))

    def branch(name):
        b = helper.make_graph(
            [helper.make_node("Add", ["x", "number"], [name + "_out"])], name, [],
            [helper.make_tensor_value_info(name + "_out", TensorProto.FLOAT, None)])
        return b

    types = []
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, ["batch", 3, None])
    tensor.tensor_type.shape.dim[0].denotation = "DATA_BATCH"
    types.append(tensor)
    types.append(helper.make_sequence_type_proto(tensor))
    types.append(helper.make_optional_type_proto(helper.make_sequence_type_proto(tensor)))
    types.append(helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.INT64, None)))
    types.append(helper.make_sparse_tensor_type_proto(TensorProto.DOUBLE, [2, 2]))
    opaque = TypeProto(denotation="TOKENS")
    opaque.opaque_type.domain = "test"
    opaque.opaque_type.name = ""
    types.append(opaque)
    types.append(TypeProto())
    infos = [onnx.ValueInfoProto(name=f"typed{i}", type=t) for i, t in enumerate(types)]
    infos[0].doc_string = "documented"
    infos[0].metadata_props.add(key="a", value="b")
    infos.append(onnx.ValueInfoProto(name="untyped"))

    kinds = helper.make_node("AllKinds", ["x", "", "sparse"], ["z", ""], domain="test", name="kinds")
    kinds.doc_string = ""
    kinds.overload = "two"
    kinds.metadata_props.add(key="where", value="here")
    values = {
        "float": 1.5, "int": -7, "string": b"\xfe raw", "tensor": number, "graph": branch("inner"),
        "floats": [1.0, 2.0], "ints": [1, 2, -3], "strings": ["a", ""], "tensors": [number, number],
        "graphs": [branch("first"), branch("second")], "type": tensor, "types": [tensor, types[1]],
    }
    kinds.attribute.extend([helper.make_attribute(k, v) for k, v in values.items()])
    a = kinds.attribute.add(name="sparse_tensor", type=onnx.AttributeProto.SPARSE_TENSOR)
    a.sparse_tensor.CopyFrom(sparse)
    a = kinds.attribute.add(name="sparse_tensors", type=onnx.AttributeProto.SPARSE_TENSORS, doc_string="two")
    a.sparse_tensors.extend([sparse, sparse])
    kinds.attribute.add(name="no_ints", type=onnx.AttributeProto.INTS)

    choose = helper.make_node("If", ["flag"], ["y"], then_branch=branch("then"), else_branch=branch("else"))
    call = helper.make_node("Shift", ["y"], ["w"], domain="test.functions", by=1.0)
    blank = onnx.NodeProto(op_type="Identity", input=["w"], output=["v"], name="", domain="", doc_string="")
    graph = helper.make_graph(
        [kinds, choose, call, blank], "everything",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3]),
         helper.make_tensor_value_info("flag", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("v", TensorProto.FLOAT, ["batch", 3])],
        [number], doc_string="a graph", value_info=infos)
    graph.sparse_initializer.append(sparse)
    q = graph.quantization_annotation.add(tensor_name="x")
    q.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value="number")
    graph.metadata_props.add(key="g", value="h")

    body = [helper.make_node("Constant", [], ["b"]), helper.make_node("Add", ["i", "b"], ["o"])]
    body[0].attribute.add(name="value_float", ref_attr_name="by", type=onnx.AttributeProto.FLOAT)
    function = helper.make_function(
        "test.functions", "Shift", ["i"], ["o"], body, [helper.make_opsetid("", 18)], ["by"],
        [helper.make_attribute("scale", 2.0)], doc_string="adds")
    function.overload = ""
    function.value_info.append(infos[0])
    function.metadata_props.add(key="f", value="")

    model = helper.make_model(
        graph, functions=[function], ir_version=10, producer_name="make.py", producer_version="", domain="org.test",
        model_version=3, doc_string="all of it",
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("test", 1),
                       helper.make_opsetid("test.functions", 2), onnx.OperatorSetIdProto(version=1, domain="empty")])
    model.metadata_props.add(key="m", value="n")
    info = model.training_info.add()
    info.initialization.CopyFrom(helper.make_graph([helper.make_node("Identity", ["number"], ["n0"])], "init", [], []))
    info.algorithm.CopyFrom(helper.make_graph([helper.make_node("Neg", ["number"], ["n1"])], "step", [], []))
    info.initialization_binding.add(key="number", value="n0")
    info.update_binding.add(key="number", value="n1")
    save(model, "everything.onnx")


def external():
    """Two tensors in a file beside the model, one of them at an offset."""
    (HERE / "external.bin").write_bytes(np.arange(64, dtype="<f4").tobytes())
    tensors = []
    for name, dims, offset, length in (("first", [4, 8], None, None), ("second", [16], 128, 64)):
        t = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=dims, data_location=TensorProto.EXTERNAL)
        t.external_data.add(key="location", value="external.bin")
        if offset is not None:
            t.external_data.add(key="offset", value=str(offset))
            t.external_data.add(key="length", value=str(length))
        tensors.append(t)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["first"], ["y"])], "external", [],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 8])], tensors)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "external.onnx")


def values():
    """What test data sets store besides tensors."""
    a, b = np.array([1, 2], "<i8"), np.array([[3.5]], "<f4")
    sequence = onnx.SequenceProto(name="s", elem_type=onnx.SequenceProto.TENSOR)
    sequence.tensor_values.extend([numpy_helper.from_array(a, "a"), numpy_helper.from_array(a, "b")])
    (HERE / "sequence.pb").write_bytes(sequence.SerializeToString())
    optional = onnx.OptionalProto(name="o", elem_type=onnx.OptionalProto.SEQUENCE)
    optional.sequence_value.CopyFrom(sequence)
    (HERE / "optional.pb").write_bytes(optional.SerializeToString())
    (HERE / "nothing.pb").write_bytes(onnx.OptionalProto(name="o", elem_type=onnx.OptionalProto.TENSOR).SerializeToString())
    mapping = onnx.MapProto(name="m", key_type=TensorProto.STRING, string_keys=[b"x", b"y"])
    mapping.values.name = ""
    mapping.values.elem_type = onnx.SequenceProto.TENSOR
    mapping.values.tensor_values.extend([numpy_helper.from_array(b, "p"), numpy_helper.from_array(b, "q")])
    (HERE / "map.pb").write_bytes(mapping.SerializeToString())


def with_torch():
    import torch
    import torch.nn as nn

    torch.manual_seed(0)

    class Ranker(nn.Module):
        def __init__(self):
            super().__init__()
            self.shared_layer = nn.Sequential(
                nn.Linear(12, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 8), nn.ReLU())
            self.score_layer = nn.Linear(8, 1)

        def forward(self, a, b):
            x = self.score_layer(self.shared_layer(a)).squeeze(-1)
            y = self.score_layer(self.shared_layer(b)).squeeze(-1)
            return x - y, x, y

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(50, 16)
            self.layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, activation="gelu")
            self.head = nn.Linear(16, 3)

        def forward(self, ids):
            return self.head(self.layer(self.embedding(ids)).mean(1))

    names = ["input_a", "input_b"], ["score_diff", "score_a", "score_b"]
    torch.onnx.export(
        Ranker().eval(), (torch.randn(2, 12), torch.randn(2, 12)), str(HERE / "ranker.onnx"), input_names=names[0],
        output_names=names[1], dynamic_axes={n: {0: "batch"} for n in names[0] + names[1]}, opset_version=17,
        dynamo=False)
    torch.onnx.export(
        Encoder().eval(), (torch.randint(0, 50, (2, 7)),), str(HERE / "encoder.onnx"), input_names=["ids"],
        output_names=["logits"], dynamic_axes={"ids": {0: "batch", 1: "length"}}, opset_version=17, dynamo=False)
    for name in ("ranker", "encoder"):  # the exporter's C++ orders fields as Python does; make sure
        model = onnx.load(HERE / f"{name}.onnx")
        save(model, f"{name}.onnx")
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        lines = []
        for v in inferred.graph.value_info:
            t = v.type.tensor_type
            kind = TensorProto.DataType.Name(t.elem_type).lower()
            dims = [str(d.dim_value) if d.HasField("dim_value") else d.dim_param or "?" for d in t.shape.dim]
            lines.append(f"{v.name}\t{kind}\t{','.join(dims)}\n" if t.HasField("shape") else f"{v.name}\t{kind}\n")
        (HERE / f"{name}.types").write_text("".join(lines))


if __name__ == "__main__":
    element_types()
    everything()
    external()
    values()
    if "--torch" in sys.argv:
        with_torch()
