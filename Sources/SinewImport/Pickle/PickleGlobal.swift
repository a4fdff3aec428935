package import SinewArrayFiles

/// The classes and functions that a pickle may name. A file that names another one is refused, whatever it wants it for.
package enum PickleGlobal: Sendable, Equatable {
    /// `collections.OrderedDict`.
    case orderedDictionary
    /// `copyreg._reconstructor`: how protocols 0 and 1 make an object of a class.
    case reconstructor
    /// `_codecs.encode`: how protocols before 3 write `bytes`.
    case encode
    /// `numpy.core.multiarray._reconstruct`.
    case numpyReconstruct
    /// `numpy.core.multiarray.scalar`.
    case numpyScalar
    /// `numpy.core.numeric._frombuffer`.
    case numpyFromBuffer
    /// `numpy.ndarray`.
    case numpyArray
    /// `numpy.dtype`.
    case numpyType
    /// `torch._utils._rebuild_tensor`, `_v2`.
    case torchTensor
    /// `torch._utils._rebuild_parameter`.
    case torchParameter
    /// `torch.FloatStorage` and its kin.
    case torchStorage(ElementType)
    /// `scipy.sparse`'s matrices in compressed columns.
    case sparseColumns
    /// The same in compressed rows.
    case sparseRows
    /// The same as coordinates.
    case sparseCoordinates
    /// `chumpy.ch.Ch`: an array that remembers how it was computed.
    case chumpyArray
    /// `chumpy.reordering.Select`: elements of another one.
    case chumpySelect
    /// Something that carries settings or marks a type: it is skipped over, and nothing of it is used.
    case inert(String)

    var isInert: Bool {
        if case .inert = self { return true }
        return false
    }

    /// - Returns: nil for what must be refused.
    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor"): self = .reconstructor
        case ("_codecs", "encode"): self = .encode
        case ("numpy", "ndarray"): self = .numpyArray
        case ("numpy", "dtype"): self = .numpyType
        case ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"):
            self = .numpyReconstruct
        case ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"): self = .numpyScalar
        case ("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer"): self = .numpyFromBuffer
        case ("torch._utils", "_rebuild_tensor"), ("torch._utils", "_rebuild_tensor_v2"): self = .torchTensor
        case ("torch._utils", "_rebuild_parameter"): self = .torchParameter
        case ("scipy.sparse.csc", "csc_matrix"), ("scipy.sparse._csc", "csc_matrix"): self = .sparseColumns
        case ("scipy.sparse.csr", "csr_matrix"), ("scipy.sparse._csr", "csr_matrix"): self = .sparseRows
        case ("scipy.sparse.coo", "coo_matrix"), ("scipy.sparse._coo", "coo_matrix"): self = .sparseCoordinates
        case ("chumpy.ch", "Ch"), ("chumpy", "Ch"): self = .chumpyArray
        case ("chumpy.reordering", "Select"): self = .chumpySelect
        case ("torch", _):
            guard let storage = Self.storages.first(where: { $0.name == name }) else {
                guard Self.inertTorchNames.contains(name) else { return nil }
                self = .inert("torch.\(name)")
                return
            }
            self = .torchStorage(storage.type)
        default:
            guard Self.inertNames.contains("\(module).\(name)") else { return nil }
            self = .inert("\(module).\(name)")
        }
    }

    private static let storages: [(name: String, type: ElementType)] = [
        ("DoubleStorage", .float64), ("FloatStorage", .float32), ("HalfStorage", .float16),
        ("BFloat16Storage", .bfloat16), ("LongStorage", .int64), ("IntStorage", .int32), ("ShortStorage", .int16),
        ("CharStorage", .int8), ("ByteStorage", .uint8), ("BoolStorage", .bool),
    ]

    private static let inertTorchNames: Set<String> = [
        "Size", "device", "float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8",
        "bool",
    ]

    /// Python's plain types, and the classes that training frameworks leave in their checkpoints beside the weights.
    private static let inertNames: Set<String> = {
        var names: Set<String> = [
            "argparse.Namespace", "collections.defaultdict", "typing.Any",
            "pathlib.PosixPath", "pathlib._local.PosixPath",
            "pytorch_lightning.utilities.parsing.AttributeDict",
            "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
            "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
            "lightning_fabric.utilities.data.AttributeDict", "lightning.fabric.utilities.data.AttributeDict",
            "omegaconf.dictconfig.DictConfig", "omegaconf.listconfig.ListConfig", "omegaconf.base.ContainerMetadata",
            "omegaconf.base.Metadata", "omegaconf.nodes.AnyNode", "omegaconf.nodes.IntegerNode",
            "omegaconf.nodes.FloatNode", "omegaconf.nodes.BooleanNode", "omegaconf.nodes.StringNode",
            "typing.Union", "typing.Optional", "typing.Dict", "typing.List",
        ]
        for type in [
            "object", "set", "frozenset", "bytearray", "bytes", "list", "dict", "tuple", "str", "unicode", "int",
            "long",
            "float", "bool",
        ] {
            names.insert("builtins.\(type)")
            names.insert("__builtin__.\(type)")
        }
        return names
    }()
}
