#!/usr/bin/env python3
"""Judges checkpoints: do PyTorch, safetensors and a reader of a few lines find the same tensors in them?

    python tools/crosscheck/checkpoints.py FILE.pth FILE.safetensors ...

A .pth is read by Python's own zipfile and pickle with numpy (every element type numpy has), its records' alignment and
checksums are checked, and where torch is installed by torch.load(weights_only=True), with and without mmap, with the
offsets that PyTorch computes checked against those in the file. A .safetensors file is read by safetensors.numpy.
Files that differ only in their ending must hold the same tensors. Ends with "N passed, N failed"; exits 1 on a failure.
"""

import collections
import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import safetensors.numpy

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tally import Tally  # noqa: E402

# PyTorch reads this when it is imported: it then compares the offsets it computes with those it finds.
os.environ["TORCH_SERIALIZATION_DEBUG"] = "1"
try:
    import torch
except ImportError:
    torch = None
try:
    from torch.utils.serialization import config as torch_config
except ImportError:
    torch_config = None  # PyTorch before 2.6 does not compute offsets.

STORAGES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": "<u2", "LongStorage": "<i8",
    "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
    "ComplexFloatStorage": "<c8", "ComplexDoubleStorage": "<c16",
}
DTYPES = {
    "uint16": "<u2", "uint32": "<u4", "uint64": "<u8", "float8_e4m3fn": "u1", "float8_e5m2": "u1",
    "float8_e4m3fnuz": "u1", "float8_e5m2fnuz": "u1", "float8_e8m0fnu": "u1",
}


class Unpickler(pickle.Unpickler):
    """The few names of a state dict, over the records of the archive."""

    def __init__(self, archive, folder):
        super().__init__(archive.open(f"{folder}/data.pkl"))
        self.archive, self.folder = archive, folder

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_tensor_v3"):
            return self.rebuild
        if module == "torch" and name in STORAGES | DTYPES:
            return np.dtype((STORAGES | DTYPES)[name])
        if (module, name) == ("torch.storage", "UntypedStorage"):
            return np.dtype("u1")
        raise pickle.UnpicklingError(f"{module}.{name} in a state dict")

    def persistent_load(self, identity):
        kind, dtype, key, location, count = identity
        assert (kind, location) == ("storage", "cpu"), identity
        data = self.archive.read(f"{self.folder}/data/{key}")
        assert len(data) == count * dtype.itemsize, f"storage {key}: {len(data)} bytes for {count} of {dtype}"
        return np.frombuffer(data, dtype)

    @staticmethod
    def rebuild(storage, offset, shape, strides, requires_grad, hooks, dtype=None):
        assert not requires_grad and not hooks
        data = storage if dtype is None else storage.view(dtype)
        width = data.dtype.itemsize
        return np.lib.stride_tricks.as_strided(data[offset:], shape, [width * stride for stride in strides])


def flatten(value, path=""):
    """The tensors of a checkpoint by their path."""
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, (list, tuple)):
        pairs = enumerate(value)
    elif isinstance(value, np.ndarray) or (torch is not None and isinstance(value, torch.Tensor)):
        return {path: value}
    else:
        return {}
    return {name: leaf for key, part in pairs for name, leaf in flatten(part, f"{path}/{key}").items()}


def read_archive(path):
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
        assert damaged is None, f"record {damaged} does not fit its checksum"
        names = archive.namelist()
        folder = names[0].split("/")[0]
        assert names[0] == f"{folder}/data.pkl", f"the first record is {names[0]}"
        assert archive.read(f"{folder}/version").strip() == b"3"
        assert archive.read(f"{folder}/byteorder") == b"little"
        with open(path, "rb") as file:
            for record in archive.infolist():
                assert record.compress_type == zipfile.ZIP_STORED, f"{record.filename} is compressed"
                file.seek(record.header_offset + 26)
                name, extra = struct.unpack("<HH", file.read(4))
                start = record.header_offset + 30 + name + extra
                assert start % 64 == 0, f"{record.filename} starts at byte {start}, which 64 does not divide"
        return flatten(Unpickler(archive, folder).load())


def raw(tensor):
    """Shape and bytes: the same in every library."""
    if not isinstance(tensor, np.ndarray):
        tensor = tensor.detach().contiguous()
        shape = tuple(tensor.shape)
        return shape, tensor.flatten().view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
    return tensor.shape, np.ascontiguousarray(tensor).tobytes()


def same(found, expected):
    assert sorted(found) == sorted(expected), f"names differ: {sorted(set(found) ^ set(expected))[:5]}"
    for name, tensor in found.items():
        assert raw(tensor) == raw(expected[name]), f"{name} differs"


def load_in_torch(path, mmap, computed_offsets, expected):
    if torch_config:
        torch_config.load.calculate_storage_offsets = computed_offsets
    same(flatten(torch.load(path, weights_only=True, mmap=mmap, map_location="cpu")), expected)


def read_safetensors(path):
    """By the reference package; bfloat16 and 8-bit floats, which numpy has not, as their bits."""
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    assert size % 8 == 0, f"the data starts at byte {8 + size}, which 8 does not divide"
    # A file that the package can't give to numpy is still checked by it when it is opened.
    with safetensors.safe_open(path, framework="numpy") as file:
        names = list(file.keys())
    try:
        tensors = safetensors.numpy.load_file(path)
    except (TypeError, KeyError, AttributeError):
        assert torch is not None, "holds element types that numpy has not, and torch is not installed"
        from safetensors.torch import load_file

        tensors = load_file(path)
    assert sorted(names) == sorted(tensors)
    return {f"/{name}": tensor for name, tensor in tensors.items()}


def main():
    files = sys.argv[1:]
    if not files:
        sys.exit(__doc__)
    tally = Tally()
    print(f"torch {torch.__version__}" if torch else "torch is not installed: its part is left out")
    by_stem = collections.defaultdict(dict)
    for path in map(Path, files):
        if path.suffix == ".safetensors":
            tensors = tally.check(f"{path.name} in safetensors.numpy", lambda: read_safetensors(path))
        else:
            tensors = tally.check(f"{path.name} in zipfile and pickle", lambda: read_archive(path))
            if torch and tensors is not None:
                for mmap in (False, True):
                    for computed in (False, True) if torch_config else (False,):
                        tally.check(
                            f"{path.name} in torch.load(weights_only=True, mmap={mmap}), computed offsets: {computed}",
                            lambda: load_in_torch(path, mmap, computed, tensors),
                        )
        if tensors is not None:
            by_stem[path.with_suffix("")][path.name] = tensors
    for pair in by_stem.values():
        if len(pair) == 2:
            (first, one), (second, other) = pair.items()
            tally.check(f"{first} and {second} hold the same tensors", lambda: same(one, other))
    print(tally.closing_line())
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
