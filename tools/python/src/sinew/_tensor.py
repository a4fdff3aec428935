"""``sinew.v1.Tensor``: an array of numbers on the wire and as a numpy array."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ._codec import CodecError, Message, Reader

_DTYPES = {name: np.dtype(name).newbyteorder("<") for name in ("float32", "float64", "int32", "uint8")}
AXES_MAX = 8


class Tensor(Message):
    """An array of numbers: ``float32``, ``float64``, ``int32`` or ``uint8``; row-major and little-endian on the wire.

    A tensor that was received is a view into the frame that it came in, and read-only.
    """

    __slots__ = ("array",)
    MESSAGE_NAME: ClassVar[str] = "sinew.v1.Tensor"

    def __init__(self, array: npt.ArrayLike = ()) -> None:
        values = np.asarray(array)
        if values.size == 0 and values.dtype not in _DTYPES.values():
            values = values.astype(np.float32)
        self.array: npt.NDArray[Any] = values

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tensor):
            return NotImplemented
        return self.array.dtype == other.array.dtype and np.array_equal(self.array, other.array)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Tensor({self.type_and_shape})"

    @property
    def type_and_shape(self) -> str:
        """For messages, for example ``float32 [2, 29, 3]``."""
        return f"{self.array.dtype.name} {list(self.array.shape)}"

    def to_wire(self) -> dict[str, object]:
        dtype = _DTYPES.get(self.array.dtype.name)
        if dtype is None:
            raise CodecError(f"Tensor: dtype {self.array.dtype.name} is not one of float32, float64, int32, uint8")
        # One copy at most, and none for an array that lies as the wire wants it: msgpack copies it into the frame.
        values = np.ascontiguousarray(self.array, dtype=dtype)
        data = values.reshape(-1).view(np.uint8).data if values.size else b""
        return {"dtype": dtype.name, "shape": list(self.array.shape), "data": data}

    @classmethod
    def read(cls, reader: Reader) -> Tensor:
        dtype_name, shape, data = "", [], None
        for name in reader.fields():
            if name == "dtype":
                dtype_name = reader.string()
            elif name == "shape":
                shape = reader.uint32s()
            elif name == "data":
                data = reader.view()
            else:
                reader.skip()
        dtype = _DTYPES.get(dtype_name)
        if dtype is None:
            raise CodecError(f"dtype “{dtype_name[:32]}” is not one of float32, float64, int32, uint8")
        if data is None:
            raise CodecError("a tensor without data")
        if len(shape) > AXES_MAX:
            raise CodecError(f"a tensor of {len(shape)} axes, at most {AXES_MAX} are read")
        count = 1
        for extent in shape:
            count *= extent
        if count * dtype.itemsize != data.nbytes:
            raise CodecError(
                f"data has {data.nbytes} bytes, shape {shape} of {dtype_name} needs {count * dtype.itemsize}")
        array = np.frombuffer(data, dtype).reshape(shape)
        array.flags.writeable = False
        tensor = cls.__new__(cls)
        tensor.array = array
        return tensor
