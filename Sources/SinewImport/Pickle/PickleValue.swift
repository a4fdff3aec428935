internal import SinewArrayFiles

/// A value of a pickle. What can hold other values is a node of the ``PickleDocument`` and named by its index: a file can neither
/// build a cycle that is walked for ever nor a nest so deep that freeing it overflows the stack.
package enum PickleValue: Sendable, Equatable {
    case none
    case bool(Bool)
    case int(Int)
    /// A whole number of more than 64 bits, little-endian two's complement.
    case wideInt([UInt8])
    case float(Double)
    case text(String)
    /// `bytes`, or the byte string that Python 2 calls `str`.
    case bytes([UInt8])
    /// A class or function that the file names; see ``PickleGlobal``.
    case global(PickleGlobal)
    /// An entry of ``PickleDocument/nodes``.
    case node(Int)
}

/// What can hold other values.
package enum PickleNode: Sendable, Equatable {
    /// A list, a tuple or a set.
    case sequence([PickleValue])
    /// A dictionary, entries in file order.
    case dictionary([PickleEntry])
    /// A call that the file asks for. Nothing is ever called: readers that know the callable take what they need from here.
    case call(PickleCall)
    /// A reference to data outside the pickle (torch's storages).
    case persistent(PickleValue)
}

/// One entry of a dictionary.
package struct PickleEntry: Sendable, Equatable {
    package var key: PickleValue
    package var value: PickleValue
}

/// `callable(*arguments)`, then `__setstate__(state)`, then items added as to a dictionary.
package struct PickleCall: Sendable, Equatable {
    package var callable: PickleGlobal
    package var arguments: PickleValue
    package var state: PickleValue?
    package var entries: [PickleEntry] = []
}

/// A whole pickle, read as data.
package struct PickleDocument: Sendable {
    /// What the pickle is of.
    package let root: PickleValue
    /// The containers, in the order in which the file makes them.
    package let nodes: [PickleNode]
    /// What messages call the pickle: a path, or a member of an archive.
    package let name: String

    /// The node that a value names.
    package func node(_ value: PickleValue?) -> PickleNode? {
        guard case .node(let index) = value else { return nil }
        return nodes[index]
    }

    /// The elements of a list, tuple or set.
    package func sequence(_ value: PickleValue?) -> [PickleValue]? {
        guard case .sequence(let elements) = node(value) else { return nil }
        return elements
    }

    /// The call that made a value.
    package func call(_ value: PickleValue?) -> PickleCall? {
        guard case .call(let call) = node(value) else { return nil }
        return call
    }

    /// The entries of a dictionary or of one of its kin (`OrderedDict`, `AttributeDict`), in file order.
    package func entries(_ value: PickleValue?) -> [PickleEntry]? {
        switch node(value) {
        case .dictionary(let entries): return entries
        case .call(let call) where call.callable == .orderedDictionary || call.callable.isInert:
            if !call.entries.isEmpty { return call.entries }
            // Python 2 gives the pairs of an OrderedDict as its only argument.
            guard let pairs = sequence(sequence(call.arguments)?.first) else { return call.entries }
            return pairs.compactMap { pair in
                guard let parts = sequence(pair), parts.count == 2 else { return nil }
                return PickleEntry(key: parts[0], value: parts[1])
            }
        case .sequence, .call, .persistent, nil: return nil
        }
    }

    /// The value under a text key; the last one counts, as in Python.
    package func member(_ name: String, of value: PickleValue?) -> PickleValue? {
        entries(value)?.last { text($0.key) == name }?.value
    }

    /// Text, whether Python 3's or Python 2's (taken as Latin-1, as `encoding="latin1"` does).
    package func text(_ value: PickleValue?) -> String? {
        switch value {
        case .text(let text): return text
        case .bytes(let bytes):
            return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        case .none?, .bool, .int, .wideInt, .float, .global, .node, nil: return nil
        }
    }

    /// A whole number; `True` and `False` are no numbers here.
    package func int(_ value: PickleValue?) -> Int? {
        guard case .int(let number) = value else { return nil }
        return number
    }

    /// Whole numbers of a list or tuple.
    package func ints(_ value: PickleValue?) -> [Int]? {
        guard let elements = sequence(value) else { return nil }
        let numbers = elements.compactMap { int($0) }
        return numbers.count == elements.count ? numbers : nil
    }
}
