package import SinewMessagePack

/// Something that can stand in a field: a number, a string, bytes, an enumeration or a message.
package protocol WireValue {
    /// Writes the value.
    func pack(into packer: inout Packer)
    /// Reads a value.
    static func unpack(from unpacker: inout Unpacker) throws(MessagePackError) -> Self
}

extension Bool: WireValue {
    package func pack(into packer: inout Packer) { packer.pack(self) }
    package static func unpack(from unpacker: inout Unpacker) throws(MessagePackError) -> Bool {
        try unpacker.readBool()
    }
}

extension UInt32: WireValue {
    package func pack(into packer: inout Packer) { packer.pack(UInt64(self)) }
    package static func unpack(from unpacker: inout Unpacker) throws(MessagePackError) -> UInt32 {
        try unpacker.readInteger(UInt32.self)
    }
}

extension UInt64: WireValue {
    package func pack(into packer: inout Packer) { packer.pack(self) }
    package static func unpack(from unpacker: inout Unpacker) throws(MessagePackError) -> UInt64 {
        try unpacker.readInteger(UInt64.self)
    }
}

extension Int32: WireValue {
    package func pack(into packer: inout Packer) { packer.pack(Int64(self)) }
    package static func unpack(from unpacker: inout Unpacker) throws(MessagePackError) -> Int32 {
        try unpacker.readInteger(Int32.self)
    }
}

extension Int64: WireValue {
    package func pack(into packer: inout Packer) { packer.pack(self) }
    package static func unpack(from unpacker: inout Unpacker) throws(MessagePackError) -> Int64 {
        try unpacker.readInteger(Int64.self)
    }
}

extension Float: WireValue {
    package func pack(into packer: inout Packer) { packer.pack(self) }
    package static func unpack(from unpacker: inout Unpacker) throws(MessagePackError) -> Float {
        try unpacker.readFloat()
    }
}

extension Double: WireValue {
    package func pack(into packer: inout Packer) { packer.pack(self) }
    package static func unpack(from unpacker: inout Unpacker) throws(MessagePackError) -> Double {
        try unpacker.readDouble()
    }
}

extension String: WireValue {
    package func pack(into packer: inout Packer) { packer.pack(self) }
    package static func unpack(from unpacker: inout Unpacker) throws(MessagePackError) -> String {
        try unpacker.readString()
    }
}

/// `bytes`: a msgpack bin.
extension Array: WireValue where Element == UInt8 {
    package func pack(into packer: inout Packer) { packer.pack(binary: self) }
    package static func unpack(from unpacker: inout Unpacker) throws(MessagePackError) -> [UInt8] {
        try unpacker.readBinary()
    }
}

extension Packer {
    /// Writes a field.
    mutating func packField(_ name: String, _ value: some WireValue) {
        pack(name)
        value.pack(into: &self)
    }

    /// Writes an optional field, or nothing when it is nil.
    mutating func packField(_ name: String, ifPresent value: (some WireValue)?) {
        if let value { packField(name, value) }
    }

    /// Writes a repeated field as an array.
    mutating func packField(_ name: String, repeated values: [some WireValue]) {
        pack(name)
        packArrayHeader(count: values.count)
        for value in values { value.pack(into: &self) }
    }
}

extension Unpacker {
    /// Reads the fields of a message; `body` reads or skips the value of each.
    mutating func readFields(
        _ body: (inout Unpacker, _ name: String) throws(MessagePackError) -> Void
    ) throws(MessagePackError) {
        try readMap { (unpacker, count) throws(MessagePackError) in
            for _ in 0..<count {
                let name = try unpacker.readString(bytesMax: fieldNameBytesMax)
                do throws(MessagePackError) {
                    if try !unpacker.readNil() { try body(&unpacker, name) }
                } catch { throw error.under(name) }
            }
        }
    }

    /// Reads a repeated field.
    ///
    /// - Cost: grows with what is really there; a claimed count allocates nothing.
    mutating func readRepeated<Value: WireValue>() throws(MessagePackError) -> [Value] {
        try readArray { (unpacker, count) throws(MessagePackError) in
            var values: [Value] = []
            for _ in 0..<count { values.append(try Value.unpack(from: &unpacker)) }
            return values
        }
    }
}

/// Longest field name that is read; longer ones cannot be ours, and a message with one is refused.
private let fieldNameBytesMax = 128
