"""Reads pickles without running anything that is in them: plain containers, numbers, text, numpy arrays, torch tensors.

A pickle is a program that may call any function of the machine that loads it. Here the names it may use stand for harmless stand-ins of
this module, every instruction that would change an object goes through one place, and everything else is refused with its name. joblib's
layout (arrays in the stream, compressed or not) and torch's zip files are read too. Arrays of objects are read when what they hold is plain.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
import os
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

#: What a file may hold, after decompression.
BYTES_MAX = 4 << 30
_ELEMENTS_MAX = BYTES_MAX // 4
_OBJECTS_MAX = 20_000_000
_DEPTH_MAX = 64
_KINDS = "biufcSU"


class UnsafePickle(ValueError):
    """A pickle that asks for more than data, or is none."""


def load(path: str | os.PathLike[str]) -> Any:
    """Reads a ``.pkl``, ``.pk``, joblib file or torch ``.pt``/``.pth`` as plain containers and numpy arrays.

    Raises :class:`UnsafePickle` that names what was refused; nothing of the file is ever run.
    """
    path = Path(path)
    with path.open("rb") as file:
        magic = file.read(8)
        file.seek(0)
        try:
            if magic[:4] == b"PK\x03\x04":
                return _load_torch(path)
            return _Loader(_decompressed(file, magic)).result()
        except UnsafePickle as error:
            raise UnsafePickle(f"{path}: {error}") from None
        except RecursionError:
            raise UnsafePickle(f"{path}: nested too deeply") from None
        except (MemoryError, zlib.error, lzma.LZMAError, OSError, EOFError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
            raise UnsafePickle(f"{path}: cut off or damaged: {error}") from None
        except Exception as error:  # The bytes are a stranger's: whatever they break ends here.
            raise UnsafePickle(f"{path}: no pickle of plain data ({type(error).__name__}: {error})") from None


def load_npz(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads an ``.npz``; arrays of objects by the rules of :func:`load`."""
    path = Path(path)
    arrays: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.endswith(".npy")]
            if sum(entry.file_size for entry in entries) > BYTES_MAX:
                raise UnsafePickle(f"more than {BYTES_MAX >> 30} GiB after decompression")
            for entry in entries:
                with archive.open(entry) as file:
                    arrays[entry.filename[:-4]] = _read_npy(io.BytesIO(_bounded(file, entry.file_size)))
    except UnsafePickle as error:
        raise UnsafePickle(f"{path}: {error}") from None
    except FileNotFoundError:
        raise
    except Exception as error:  # The bytes are a stranger's: whatever they break ends here.
        raise UnsafePickle(f"{path}: no npz archive, or a damaged one ({type(error).__name__}: {error})") from None
    return arrays


def _read_npy(file: io.BytesIO) -> Any:
    version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call, unused-ignore]
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)  # type: ignore[no-untyped-call, unused-ignore]
    if dtype.hasobject:
        return _Loader(file).result()
    _check_dtype(dtype)
    count = _count(shape)
    data = file.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize:
        raise UnsafePickle(f"an array of shape {shape} is cut off")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _bounded(file: IO[bytes], claimed: int) -> bytes:
    data = file.read(min(claimed, BYTES_MAX) + 1)
    if len(data) > claimed:
        raise UnsafePickle(f"more than the {claimed} bytes that were announced")
    return data


def _decompressed(file: IO[bytes], magic: bytes) -> IO[bytes]:
    opened: Any
    if magic[:2] == b"\x1f\x8b":
        opened = gzip.GzipFile(fileobj=file)
    elif magic[:3] == b"BZh":
        opened = bz2.BZ2File(file)
    elif magic[:6] == b"\xfd7zXZ\0":
        opened = lzma.LZMAFile(file)
    elif magic[:1] == b"\x78" and int.from_bytes(magic[:2], "big") % 31 == 0:
        return io.BytesIO(_inflate(file))
    else:
        if os.fstat(file.fileno()).st_size > BYTES_MAX:
            raise UnsafePickle(f"larger than {BYTES_MAX >> 30} GiB")
        return file
    parts, size = [], 0
    while part := opened.read(1 << 20):
        size += len(part)
        if size > BYTES_MAX:
            raise UnsafePickle(f"more than {BYTES_MAX >> 30} GiB after decompression")
        parts.append(part)
    return io.BytesIO(b"".join(parts))


def _inflate(file: IO[bytes]) -> bytes:
    inflater, parts, size = zlib.decompressobj(), [], 0
    data = file.read(1 << 16)
    while data and not inflater.eof:
        part = inflater.decompress(data, 1 << 20)
        size += len(part)
        if size > BYTES_MAX:
            raise UnsafePickle(f"more than {BYTES_MAX >> 30} GiB after decompression")
        parts.append(part)
        data = inflater.unconsumed_tail or file.read(1 << 16)
    return b"".join(parts)


def _count(shape: Any) -> int:
    if type(shape) is not tuple or len(shape) > 32 or any(type(extent) is not int or extent < 0 for extent in shape):
        raise UnsafePickle(f"an array of shape {shape!r}")
    count = math.prod(shape)
    if count > _ELEMENTS_MAX:
        raise UnsafePickle(f"an array of shape {shape} is larger than a file may be")
    return count


def _check_dtype(dtype: np.dtype[Any]) -> None:
    if dtype.kind not in _KINDS or dtype.itemsize > 4096 or dtype.names is not None:
        raise UnsafePickle(f"an array of dtype {dtype}")


# Stand-ins


class _Function:
    """What a name of the pickle stands for when it is called; nothing can be set on it."""

    __slots__ = ("_make",)

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)


class _DType:
    """``numpy.dtype(name, False, True)`` and what is set on it."""

    __slots__ = ("name", "order")

    def __init__(self, name: Any, *_: Any) -> None:
        if type(name) is not str or len(name) > 16:
            raise UnsafePickle(f"a dtype {name!r}")
        self.name, self.order = name, "="

    def set(self, state: Any) -> None:
        if type(state) is not tuple or len(state) < 5 or state[2] is not None or state[3] is not None or state[4] is not None:
            raise UnsafePickle("a dtype of records")
        self.order = state[1] if state[1] in ("<", ">", "=", "|") else "="

    def dtype(self) -> np.dtype[Any]:
        if self.name in ("O", "O8", "object"):
            return np.dtype(object)
        order: Any = self.order
        dtype: np.dtype[Any] = np.dtype(self.name).newbyteorder(order)
        _check_dtype(dtype)
        return dtype


class _Array:
    """An array that is filled by the state that follows."""

    __slots__ = ("value",)

    def __init__(self, *_: Any) -> None:
        self.value: Any = None

    def set(self, state: Any) -> None:
        _, shape, dtype, fortran, data = state
        if not isinstance(dtype, _DType):
            raise UnsafePickle("an array without a dtype")
        count, kind = _count(shape), dtype.dtype()
        if kind == object:
            if type(data) is not list or len(data) != count:
                raise UnsafePickle("an array of objects that is none")
            self.value = data[0] if shape == () else data
            return
        data = data.encode("latin-1") if isinstance(data, str) else data
        if not isinstance(data, (bytes, bytearray)) or len(data) != count * kind.itemsize:
            raise UnsafePickle(f"an array of shape {shape} with {len(data)} bytes")
        self.value = np.frombuffer(bytes(data), kind).reshape(shape, order="F" if fortran else "C")


def _scalar(dtype: Any, data: Any = b"") -> Any:
    if not isinstance(dtype, _DType) or dtype.dtype() == object:
        raise UnsafePickle("a number without a dtype")
    raw = data.encode("latin-1") if isinstance(data, str) else data
    return np.frombuffer(raw, dtype.dtype(), 1)[0].item()


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> Any:
    if not isinstance(dtype, _DType):
        raise UnsafePickle("an array without a dtype")
    array = _Array()
    array.set((1, shape, dtype, order == "F", bytes(data)))
    return array


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if type(text) is not str or encoding not in ("latin1", "latin-1", "utf-8", "ascii"):
        raise UnsafePickle("bytes in an encoding")
    return text.encode(encoding)


_Unpickler: Any = getattr(pickle, "_Unpickler")


def _bytes(values: Any = ()) -> bytes:
    if not isinstance(values, (list, tuple, bytes)):
        raise UnsafePickle("bytes out of what is none")
    return bytes(values)


class _Loader(_Unpickler):  # type: ignore[misc]
    """The unpickler of the standard library in Python, whose memo is a dictionary and whose every instruction can be replaced."""

    dispatch: dict[int, Any] = dict(_Unpickler.dispatch)

    def __init__(self, file: IO[bytes], storages: dict[str, bytes] | None = None) -> None:
        super().__init__(file, encoding="latin1")
        self._stream = file
        self._storages = storages
        joblib_array = type("NumpyArrayWrapper", (_JoblibArray,), {"__slots__": ()})
        array, dtype = _Function(_Array), _Function(_DType)
        core = {"_reconstruct": array, "scalar": _Function(_scalar)}
        self._names: dict[tuple[str, str], Any] = {
            ("numpy", "ndarray"): array, ("numpy", "dtype"): dtype, ("collections", "OrderedDict"): _Function(lambda *_: {}),
            ("collections", "defaultdict"): _Function(lambda *_: {}), ("builtins", "set"): _Function(lambda items=(): list(items)),
            ("builtins", "frozenset"): _Function(lambda items=(): list(items)), ("builtins", "dict"): _Function(lambda *_: {}),
            ("builtins", "list"): _Function(lambda items=(): list(items)), ("builtins", "bytearray"): _Function(lambda *a: _encode(*a)),
            ("builtins", "bytes"): _Function(_bytes), ("_codecs", "encode"): _Function(_encode), ("copyreg", "_reconstructor"): _Function(_refuse_object),
            ("joblib.numpy_pickle", "NumpyArrayWrapper"): joblib_array,
            ("torch._utils", "_rebuild_tensor_v2"): _Function(self._tensor), ("torch._utils", "_rebuild_parameter"): _Function(lambda t, *_: t),
        }
        for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            self._names |= {(module, name): value for name, value in core.items()}
        for module in ("numpy.core.numeric", "numpy._core.numeric"):
            self._names[module, "_frombuffer"] = _Function(_from_buffer)
        for name, kind in _TORCH_DTYPES.items():
            self._names["torch", name] = kind

    def result(self) -> Any:
        """Everything in the pickle."""
        return _plain(self.load())

    def find_class(self, module: str, name: str) -> Any:
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
        try:
            return self._names[module, name]
        except KeyError:
            raise UnsafePickle(
                f"it asks for {module}.{name}, which is more than data; nothing was run. Save arrays as .npz instead") from None

    def get_extension(self, code: int) -> Any:
        raise UnsafePickle(f"it asks for the registered extension {code}")

    def persistent_load(self, pid: Any) -> Any:
        if self._storages is None or type(pid) is not tuple or len(pid) < 5 or pid[0] != "storage":
            raise UnsafePickle("it refers to something outside of itself")
        _, kind, key, _, _ = pid[:5]
        if not isinstance(kind, np.dtype) or key not in self._storages:
            raise UnsafePickle(f"a tensor without its storage {key!r}")
        data = self._storages[key]
        return np.frombuffer(data, kind, len(data) // kind.itemsize)

    def _tensor(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Any:
        count = _count(tuple(shape))
        if not isinstance(storage, np.ndarray) or type(offset) is not int or offset < 0 or len(shape) != len(strides):
            raise UnsafePickle("a tensor without a storage")
        if any(type(stride) is not int or stride < 0 for stride in strides) or count > max(storage.size, 1):
            raise UnsafePickle(f"a tensor of shape {tuple(shape)} over a storage of {storage.size} elements")
        last = offset + sum((extent - 1) * stride for extent, stride in zip(shape, strides))
        if count and last >= storage.size:
            raise UnsafePickle(f"a tensor of shape {tuple(shape)} reaches beyond its storage")
        view = np.lib.stride_tricks.as_strided(
            storage[offset:], tuple(shape), [stride * storage.itemsize for stride in strides], writeable=False)
        return np.array(view) if count else np.zeros(shape, storage.dtype)

    def _load_build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, _JoblibArray):
            self.stack[-1] = target.read(state, self)
        elif isinstance(target, (_Array, _DType)):
            target.set(state)
        else:
            raise UnsafePickle("it sets attributes of an object")

    def _load_newobj(self) -> None:
        arguments, kind = self.stack.pop(), self.stack.pop()
        if not isinstance(kind, type) or not issubclass(kind, _JoblibArray) or arguments != ():
            raise UnsafePickle("it makes an object of a class")
        self.append(kind())

    def _load_reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, _Function) or type(arguments) is not tuple:
            raise UnsafePickle("it calls what is no function")
        self.append(function(*arguments))

    def _load_bytearray(self) -> None:
        size = int.from_bytes(self.read(8), "little")
        if size > BYTES_MAX:
            raise UnsafePickle(f"an array of {size} bytes")
        self.append(bytearray(self.read(size)))

    def _refuse(self) -> None:
        raise UnsafePickle("it makes an object in a way that data needs not")

    def read_raw(self, count: int) -> bytes:
        """Bytes that lie in the stream between two instructions."""
        frame = self._unframer.current_frame
        if frame is not None and frame.read(1):
            raise UnsafePickle("an array in the midst of a frame")
        self._unframer.current_frame = None
        data = self._stream.read(count)
        if len(data) != count:
            raise UnsafePickle("an array is cut off")
        return data

    dispatch[pickle.BUILD[0]] = _load_build
    dispatch[pickle.NEWOBJ[0]] = _load_newobj
    dispatch[pickle.REDUCE[0]] = _load_reduce
    dispatch[pickle.BYTEARRAY8[0]] = _load_bytearray
    for _opcode in (pickle.INST, pickle.OBJ, pickle.NEWOBJ_EX, pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER):
        dispatch[_opcode[0]] = _refuse


class _JoblibArray:
    """joblib's ``NumpyArrayWrapper``: an array whose bytes follow in the stream."""

    __slots__ = ()

    def read(self, state: Any, loader: _Loader) -> npt.NDArray[Any]:
        if type(state) is not dict or not isinstance(state.get("dtype"), _DType):
            raise UnsafePickle("an array of joblib's without a dtype")
        dtype, shape = state["dtype"].dtype(), state.get("shape")
        if dtype == object:
            raise UnsafePickle("an array of objects in joblib's layout")
        count = _count(shape)
        if state.get("numpy_array_alignment_bytes") is not None:
            loader.read_raw(loader.read_raw(1)[0])
        data = loader.read_raw(count * dtype.itemsize)
        array: npt.NDArray[Any] = np.frombuffer(data, dtype).reshape(shape, order="F" if state.get("order") == "F" else "C")
        return array


def _refuse_object(kind: Any, *_: Any) -> Any:
    raise UnsafePickle(f"it makes an object of {kind!r}")


_TORCH_DTYPES = {
    name: np.dtype(kind) for name, kind in {
        "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
        "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?"}.items()}


def _load_torch(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name == "data.pkl" or name.endswith("/data.pkl")]
        if len(names) != 1:
            raise UnsafePickle("a zip file that torch did not write; an .npz is read by load_npz")
        if sum(entry.file_size for entry in archive.infolist()) > BYTES_MAX:
            raise UnsafePickle(f"more than {BYTES_MAX >> 30} GiB after decompression")
        folder = names[0][: -len("data.pkl")] + "data/"
        storages = {
            entry.filename[len(folder) :]: _bounded(archive.open(entry), entry.file_size)
            for entry in archive.infolist() if entry.filename.startswith(folder)}
        return _Loader(io.BytesIO(archive.read(names[0])), storages).result()


def _plain(value: Any) -> Any:
    """Stand-ins replaced by what they stand for; shared parts are looked at once."""
    done: dict[int, Any] = {}
    keep: list[Any] = []

    def walk(item: Any, depth: int) -> Any:
        if depth > _DEPTH_MAX:
            raise UnsafePickle(f"nested more than {_DEPTH_MAX} deep")
        if isinstance(item, _Array):
            return walk(item.value, depth + 1)
        if isinstance(item, (_Function, _DType, _JoblibArray, np.dtype)) or isinstance(item, type):
            raise UnsafePickle("a function or a type where data should be")
        if not isinstance(item, (list, tuple, dict, set, frozenset)):
            return item
        if id(item) in done:
            found = done[id(item)]
            if found is None:
                raise UnsafePickle("a container that holds itself")
            return found
        if len(done) > _OBJECTS_MAX:
            raise UnsafePickle(f"more than {_OBJECTS_MAX} containers")
        done[id(item)] = None
        keep.append(item)
        result: Any
        if isinstance(item, dict):
            result = {walk(key, depth + 1): walk(each, depth + 1) for key, each in item.items()}
        else:
            result = [walk(each, depth + 1) for each in item]
            if isinstance(item, tuple):
                result = tuple(result)
        done[id(item)] = result
        return result

    return walk(value, 0)
