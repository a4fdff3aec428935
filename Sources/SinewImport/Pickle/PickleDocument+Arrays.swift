package import SinewArrayFiles

/// numpy's, scipy's and chumpy's arrays.
extension PickleDocument {
    /// How deep chumpy's selections of selections are followed.
    private static let selectionDepthMax = 8
    /// Elements of a sparse matrix written out; SMPL's regressor has 165 360.
    private static let denseElementsMax = 1 << 26

    /// An array, whichever library it was pickled from.
    ///
    /// - Parameter what: what errors call it.
    /// - Throws: ``ArrayFileError/Reason/wrongShape`` when the value is no array, otherwise malformed or unsupported.
    package func array(_ value: PickleValue?, what: String) throws(ArrayFileError) -> NDArray {
        try array(value, what: "\"\(what)\" in \(name)", depth: 0)
    }

    private func array(_ value: PickleValue?, what: String, depth: Int) throws(ArrayFileError) -> NDArray {
        guard let made = call(value) else { throw ArrayFileError(.wrongShape, "\(what) is no array") }
        let call = object(of: made)
        switch call.callable {
        case .numpyReconstruct: return try numpyArray(call, what: what)
        case .numpyFromBuffer: return try bufferedArray(call, what: what)
        case .numpyScalar:
            guard let parts = sequence(call.arguments), parts.count == 2, let bytes = bytes(parts[1]) else { break }
            return try NDArray(
                numpy: try type(parts[0], what: what), isFortranOrder: false, shape: [], bytes: bytes, name: what)
        case .sparseColumns: return try compressed(call, what: what, byColumn: true)
        case .sparseRows: return try compressed(call, what: what, byColumn: false)
        case .sparseCoordinates: return try coordinates(call, what: what)
        case .chumpyArray, .chumpySelect: return try chumpyArray(call, what: what, depth: depth)
        case .orderedDictionary, .reconstructor, .encode, .numpyArray, .numpyType, .torchTensor, .torchParameter,
            .torchStorage, .inert:
            break
        }
        throw ArrayFileError(.wrongShape, "\(what) is no array of numpy, scipy or chumpy")
    }

    /// What protocols 0 and 1 make of a scipy or chumpy class: they name it as the first argument of a call.
    private func object(of call: PickleCall) -> PickleCall {
        guard call.callable == .reconstructor, case .global(let made)? = sequence(call.arguments)?.first else {
            return call
        }
        switch made {
        case .chumpyArray, .chumpySelect, .sparseColumns, .sparseRows, .sparseCoordinates:
            return PickleCall(callable: made, arguments: call.arguments, state: call.state)
        case .orderedDictionary, .reconstructor, .encode, .numpyReconstruct, .numpyScalar, .numpyFromBuffer,
            .numpyArray, .numpyType, .torchTensor, .torchParameter, .torchStorage, .inert:
            return call
        }
    }

    /// `_reconstruct(ndarray, (0,), b"b")` with the state `(version, shape, type, is Fortran order, bytes)`.
    private func numpyArray(_ call: PickleCall, what: String) throws(ArrayFileError) -> NDArray {
        guard let state = sequence(call.state), state.count == 5, let shape = ints(state[1]),
            case .bool(let isFortranOrder) = state[3]
        else { throw ArrayFileError(.malformed, "\(what) is an incomplete numpy array") }
        guard let bytes = bytes(state[4]) else {
            throw ArrayFileError(.unsupported, "\(what) holds Python objects; only arrays of numbers are read")
        }
        return try NDArray(
            numpy: try type(state[2], what: what), isFortranOrder: isFortranOrder, shape: shape, bytes: bytes,
            name: what)
    }

    /// `_frombuffer(bytes, type, shape, order)`.
    private func bufferedArray(_ call: PickleCall, what: String) throws(ArrayFileError) -> NDArray {
        guard let parts = sequence(call.arguments), parts.count == 4, let bytes = bytes(parts[0]),
            let shape = ints(parts[2]), let order = text(parts[3])
        else { throw ArrayFileError(.malformed, "\(what) is an incomplete numpy array") }
        return try NDArray(
            numpy: try type(parts[1], what: what), isFortranOrder: order == "F", shape: shape, bytes: bytes, name: what)
    }

    /// `dtype("f8", …)` with the state `(3, "<", …)`; the byte order is in the state.
    private func type(_ value: PickleValue, what: String) throws(ArrayFileError) -> String {
        guard let call = call(value), call.callable == .numpyType, let code = text(sequence(call.arguments)?.first)
        else {
            throw ArrayFileError(.malformed, "\(what) has no element type")
        }
        guard let order = text(sequence(call.state)?.dropFirst().first) else { return code }
        return order + code
    }

    /// Bytes, or the text that stands for them in protocols before 3: `_codecs.encode(text, "latin1")`.
    private func bytes(_ value: PickleValue) -> [UInt8]? {
        if case .bytes(let bytes) = value { return bytes }
        guard let call = call(value) else { return nil }
        // Protocols before 3 write empty bytes as a call of the type.
        if call.callable == .inert("__builtin__.bytes"), sequence(call.arguments) == [] { return [] }
        guard call.callable == .encode, let arguments = sequence(call.arguments),
            arguments.count == 2, case .text(let text) = arguments[0], let encoding = self.text(arguments[1]),
            encoding == "latin1" || encoding == "latin-1"
        else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            guard let byte = UInt8(exactly: scalar.value) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private func compressed(_ call: PickleCall, what: String, byColumn: Bool) throws(ArrayFileError) -> NDArray {
        let parts = try sparse(call, what: what)
        let starts = try array(member("indptr", of: call.state), what: what, depth: 0).ints()
        let indices = try array(member("indices", of: call.state), what: what, depth: 0).ints()
        let lines = byColumn ? parts.columns : parts.rows
        guard starts.count == lines + 1, starts.first == 0, starts.last == parts.values.count,
            indices.count == parts.values.count, zip(starts, starts.dropFirst()).allSatisfy({ $0 <= $1 })
        else { throw ArrayFileError(.malformed, "\(what) is a sparse matrix whose index arrays do not fit together") }
        var dense = [Double](repeating: 0, count: parts.rows * parts.columns)
        for line in 0..<lines {
            for entry in starts[line]..<starts[line + 1] {
                let (row, column) = byColumn ? (indices[entry], line) : (line, indices[entry])
                try parts.add(entry, row: row, column: column, to: &dense, what: what)
            }
        }
        return .float64(dense, shape: [parts.rows, parts.columns])
    }

    private func coordinates(_ call: PickleCall, what: String) throws(ArrayFileError) -> NDArray {
        let parts = try sparse(call, what: what)
        // Newer scipy keeps both index arrays in a tuple.
        let coords = sequence(member("coords", of: call.state)) ?? []
        let rowIndices = member("row", of: call.state) ?? coords.first
        let columnIndices = member("col", of: call.state) ?? coords.last
        let rows = try array(rowIndices, what: what, depth: 0).ints()
        let columns = try array(columnIndices, what: what, depth: 0).ints()
        guard rows.count == parts.values.count, columns.count == parts.values.count else {
            throw ArrayFileError(.malformed, "\(what) is a sparse matrix whose index arrays do not fit together")
        }
        var dense = [Double](repeating: 0, count: parts.rows * parts.columns)
        for entry in 0..<parts.values.count {
            try parts.add(entry, row: rows[entry], column: columns[entry], to: &dense, what: what)
        }
        return .float64(dense, shape: [parts.rows, parts.columns])
    }

    private struct Sparse {
        var rows: Int
        var columns: Int
        var values: [Double]

        func add(
            _ entry: Int, row: Int, column: Int, to dense: inout [Double], what: String
        ) throws(ArrayFileError) {
            guard (0..<rows).contains(row), (0..<columns).contains(column) else {
                throw ArrayFileError(
                    .malformed, "\(what) has an entry at (\(row), \(column)), outside [\(rows), \(columns)]")
            }
            dense[row * columns + column] += values[entry]
        }
    }

    private func sparse(_ call: PickleCall, what: String) throws(ArrayFileError) -> Sparse {
        let extents = ints(member("_shape", of: call.state) ?? member("shape", of: call.state))
        guard let extents, extents.count == 2, extents.allSatisfy({ $0 >= 0 && $0 <= Self.denseElementsMax }),
            extents[0] * extents[1] <= Self.denseElementsMax
        else { throw ArrayFileError(.malformed, "\(what) is a sparse matrix without a shape that can be written out") }
        let values = try array(member("data", of: call.state), what: what, depth: 0).doubles()
        return Sparse(rows: extents[0], columns: extents[1], values: values)
    }

    /// A `Ch` keeps its values as `x`; a `Select` names elements of another array by their flat indices.
    private func chumpyArray(_ call: PickleCall, what: String, depth: Int) throws(ArrayFileError) -> NDArray {
        if let values = member("x", of: call.state) { return try array(values, what: what, depth: depth + 1) }
        guard depth < Self.selectionDepthMax, let source = member("a", of: call.state),
            let chosen = member("idxs", of: call.state)
        else { throw ArrayFileError(.unsupported, "\(what) is a chumpy expression; only stored values are read") }
        let from = try array(source, what: what, depth: depth + 1)
        let indices = try array(chosen, what: what, depth: depth + 1).ints()
        let width = from.elementType.byteCount
        var bytes: [UInt8] = []
        bytes.reserveCapacity(indices.count * width)
        for index in indices {
            guard (0..<from.count).contains(index) else {
                throw ArrayFileError(.malformed, "\(what) selects element \(index) of \(from.count)")
            }
            bytes += from.bytes[(index * width)..<((index + 1) * width)]
        }
        let shape = ints(member("preferred_shape", of: call.state)) ?? [indices.count]
        return try NDArray(elementType: from.elementType, shape: shape, bytes: bytes)
    }
}
