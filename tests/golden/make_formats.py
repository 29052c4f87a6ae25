"""Files of tensors as the formats' own packages write them, and what the small floats in them mean.

    pip install numpy safetensors ml_dtypes && python make_formats.py

formats.safetensors  every dtype of the format, as it lists them itself
formats.npz          byte orders, columns first, text, records, empty arrays; small_floats.npz: all 256 values of each
"""
import json
import struct

import ml_dtypes
import numpy as np
import safetensors

sizes = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
         "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
         "C64": 64, "F64": 64, "I64": 64, "U64": 64}
rng = np.random.default_rng(3)
header, data = {"__metadata__": {"format": "np", "字": "值"}}, b""
for dtype, bits in sizes.items():
    bytes_ = rng.integers(0, 2 if dtype == "BOOL" else 120, bits).astype(np.uint8).tobytes()
    header[f"tensor.{dtype}"] = {"dtype": dtype, "shape": [2, 4], "data_offsets": [len(data), len(data) + bits]}
    data += bytes_
text = json.dumps(header).encode()
whole = struct.pack("<Q", len(text)) + text + data
assert len(safetensors.deserialize(whole)) == len(sizes)  # the package takes every one of them
open("formats.safetensors", "wb").write(whole)

grid = np.arange(6).reshape(2, 3)
np.savez_compressed(
    "formats.npz", rows=grid.astype("<f4"), columns=np.asfortranarray(grid.astype("<f8")), big=grid.astype(">f8"),
    big_columns=np.asfortranarray(grid.astype(">i4")), half=grid.astype("<f2"), bytes=grid.astype("i1"),
    words=grid.astype(">u2"), long=grid.astype("<u4"), longest=grid.astype("<u8"), flags=grid % 2 == 1,
    scalar=np.float32(2.5), empty=np.zeros((0, 3)), text=np.array(["a", "文"]), record=np.zeros(2, "f4,i4"),
    complex=np.array([1 + 2j], "c8"), date=np.array(["2026-01-01"], "M8[D]"))

every = np.arange(256, dtype=np.uint8)
np.savez("small_floats.npz", **{
    dtype: every.view(t).astype(np.float32) for dtype, t in {
        "F8_E5M2": ml_dtypes.float8_e5m2, "F8_E4M3": ml_dtypes.float8_e4m3fn, "F8_E8M0": ml_dtypes.float8_e8m0fnu,
        "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz}.items()},
    F4=(every % 16).view(ml_dtypes.float4_e2m1fn).astype(np.float32))
