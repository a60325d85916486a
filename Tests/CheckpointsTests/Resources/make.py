"""Makes the files beside this script with PyTorch and the safetensors package: what the readers are tested with.

    python make.py        (made with torch 2.15.0 and safetensors 0.8.0; needs both)

Each NAME.pth has a NAME.safetensors with the same tensors, contiguous, from the other package. The tensors hold
numbers that the tests can compute for themselves.
"""

import collections
import io
import pathlib
import zipfile

import safetensors.torch
import torch

folder = pathlib.Path(__file__).parent


def counting(*shape, dtype=torch.float32):
    """Elements 0, 1, 2, … in row-major order (odd ones true for bool)."""
    count = torch.Size(shape).numel()
    numbers = torch.arange(count)
    if dtype == torch.bool:
        return (numbers % 2 == 1).reshape(shape)
    return numbers.to(dtype).reshape(shape)


def save(name, value, **options):
    # Through a buffer, so that the archive's folder is called "archive" whatever the file's name is.
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    (folder / f"{name}.pth").write_bytes(buffer.getvalue())
    return buffer


def save_both(name, tensors, metadata=None, **options):
    buffer = save(name, tensors, **options)
    contiguous = {key: tensor.detach().contiguous().clone() for key, tensor in tensors.items()}
    safetensors.torch.save_file(contiguous, folder / f"{name}.safetensors", metadata)
    return buffer


# What a ranker's state dict looks like: a plain OrderedDict of parameters.
plain = collections.OrderedDict(
    [
        ("shared_layer.0.weight", counting(3, 4)),
        ("shared_layer.0.bias", counting(3)),
        ("score_layer.weight", counting(1, 3, dtype=torch.float64)),
        ("steps", torch.tensor(7)),
        ("nothing", torch.zeros(2, 0, 3)),
    ]
)
buffer = save_both("plain", plain, {"format": "pt", 'quoted "é\n': "\x01 / \\"})
for protocol in (3, 4, 5):
    save(f"protocol{protocol}", plain, pickle_protocol=protocol)
save("legacy", plain, _use_new_zipfile_serialization=False)
with zipfile.ZipFile(folder / "deflated.pth", "w", zipfile.ZIP_DEFLATED) as deflated:
    with zipfile.ZipFile(buffer) as stored:
        for record in stored.infolist():
            deflated.writestr(record.filename, stored.read(record))

# A module's own state dict, with the _metadata attribute that PyTorch adds.
torch.manual_seed(1)
module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(3, 1))
save_both("module", module.state_dict())

types = """float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool uint16 uint32 uint64 complex64
    float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu""".split()
save_both("types", {name: counting(2, 3).to(getattr(torch, name)) for name in types})

# Views: one storage looked at in several ways.
base = counting(4, 6)
save_both(
    "views",
    {
        "whole": base,
        "transposed": base.t(),
        "columns": base[:, 1:5:2],
        "last_row": base[3],
        "one": base[2, 3],
        "repeated": torch.tensor([5.0, 6.0]).expand(3, 2),
        "permuted": counting(2, 3, 4, dtype=torch.int16).permute(2, 0, 1),
        "same": base,
        "parameter": torch.nn.Parameter(counting(2, 2)),
    },
)

# A checkpoint of a training: plain values and an optimizer's state beside the parameters.
optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
module(torch.ones(5, 2)).sum().backward()
optimizer.step()
save(
    "training",
    {
        "model_state_dict": module.state_dict(),
        "optimizer": optimizer.state_dict(),
        "user_id_map": {"anna": 0, "zoë": 1, "": 2},
        "hidden_layers": [128, 64],
        "integers": [0, 255, 256, 65535, 65536, -1, -(2**31), 2**31, 2**63 - 1, -(2**63), 2**40],
        "floats": [0.1, -2.5, float("inf")],
        "shape": torch.zeros(2, 3).shape,
        "dtype": torch.float16,
        "flags": (True, False, None),
        "by_number": {3: "c", 1: "a"},
        "empty": [(), [], {}],
    },
)

# Long containers, which pickle appends in batches of 1,000. (One string object each: equal ones would be shared.)
save(
    "long",
    {
        "list999": list(range(999)),
        "list1000": list(range(1000)),
        "list1001": list(range(1001)),
        "dict1000": {number: 0 for number in range(1000)},
        "dict2001": {number: 0 for number in range(2001)},
        "ordered1001": collections.OrderedDict((number, 0) for number in range(1001)),
        "ordered2000": collections.OrderedDict((number, 0) for number in range(2000)),
    },
)
