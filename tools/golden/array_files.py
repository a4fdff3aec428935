"""Writes the array files that SinewArrayFilesTests reads: real numpy and real safetensors output.

Run:  python tools/golden/array_files.py   (numpy, safetensors; the fixtures are committed)
"""
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

OUT = Path(__file__).resolve().parents[2] / "Tests/SinewArrayFilesTests/Fixtures"


def arrays():
    a = np.arange(24).reshape(2, 3, 4)
    return {
        "f16": (a / 4).astype(np.float16),
        "f32": (a / 4).astype(np.float32),
        "f64": a / 4,
        "f64_fortran": np.asfortranarray(a / 4),
        "f32_big_endian": (a / 4).astype(">f4"),
        "i8": (a - 5).astype(np.int8),
        "u8": a.astype(np.uint8),
        "i16": (a - 5).astype(np.int16),
        "u16": a.astype(np.uint16),
        "i32": (a - 5).astype(np.int32),
        "u32": a.astype(np.uint32),
        "i64": (a - 5).astype(np.int64),
        "u64": a.astype(np.uint64),
        "flags": a % 3 == 0,
        "scalar": np.float64(30.0),
        "gender": np.array("female"),
        "names": np.array(["left_hip", "größe", ""]),
        "ascii": np.array([b"ab", b"c"]),
        "empty": np.zeros((0, 3), np.float32),
        "one": np.array([7], np.int64),
    }


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    np.savez(OUT / "numpy_stored.npz", **arrays())
    np.savez_compressed(OUT / "numpy_deflated.npz", **arrays())
    np.savez(OUT / "numpy_pickled.npz", objects=np.array([{"a": 1}, None], dtype=object))
    np.savez(OUT / "numpy_complex.npz", z=np.zeros(2, np.complex64))
    tensors = {k: v for k, v in arrays().items()
               if k in {"f16", "f32", "f64", "i8", "u8", "i16", "i32", "i64", "flags", "empty"}}
    save_file(tensors, OUT / "reference.safetensors", metadata={"format": "np", "note": "größe"})
