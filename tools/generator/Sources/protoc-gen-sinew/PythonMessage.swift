import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The Python dataclass and codec of one message.
struct PythonMessage {
    private let message: Descriptor

    init(_ message: Descriptor) { self.message = message }

    func text() throws -> String {
        let fields = try message.fields.map(PythonField.init)
        var text = "@dataclasses.dataclass(slots=True)\nclass \(message.name)(Message):\n"
        text += try pythonDocumentation(message, indent: "    ")
        text += "\n    MESSAGE_NAME: ClassVar[str] = \"\(message.fullName)\"\n"
        if Self.holdsDoubles(message, seen: []) { text += "    SINGLE_FLOATS: ClassVar[bool] = False\n" }
        for field in fields {
            text += field.comment
            text += "    \(field.name): \(field.type) = \(field.defaultValue)\n"
        }
        return text + "\n" + writer(fields) + "\n" + reader(fields)
    }

    private func writer(_ fields: [PythonField]) -> String {
        var text = "    def to_wire(self) -> dict[str, object]:\n        wire: dict[str, object] = {}\n"
        for field in fields {
            let place = "\"\(message.name).\(field.name)\""
            let assignment = "wire[\"\(field.name)\"] = \(field.written("self.\(field.name)", place: place))\n"
            if field.presence == .optional {
                text += "        if self.\(field.name) is not None:\n            \(assignment)"
            } else {
                text += "        \(assignment)"
            }
        }
        return text + "        return wire\n"
    }

    private func reader(_ fields: [PythonField]) -> String {
        var text = """
                @classmethod
                def read(cls, reader: Reader) -> \(message.name):
                    message = cls()
                    for name in reader.fields():

            """
        for (index, field) in fields.enumerated() {
            text += "            \(index == 0 ? "if" : "elif") name == \"\(field.name)\":\n"
            text += "                message.\(field.name) = \(field.read)\n"
        }
        if fields.isEmpty {
            text += "            reader.skip()\n"
        } else {
            text += "            else:\n                reader.skip()\n"
        }
        return text + "        return message\n"
    }

    /// Whether a `double` is anywhere in a message: all its floats are then written with 64 bits, which readers take for both.
    private static func holdsDoubles(_ message: Descriptor, seen: [String]) -> Bool {
        guard !seen.contains(message.fullName) else { return false }
        return message.fields.contains { field in
            field.type == .double
                || (field.type == .message && holdsDoubles(field.messageType, seen: seen + [message.fullName]))
        }
    }
}

/// One field of a message in Python terms.
private struct PythonField {
    enum Presence { case always, optional, repeated }

    let name: String
    let presence: Presence
    let comment: String
    private let elementType: String
    private let scalarDefault: String
    /// The function of `_codec` that checks a value, and the method of its `Reader` that reads one; nil for messages.
    private let scalar: String?
    private let isEnum: Bool

    var type: String {
        switch presence {
        case .always: elementType
        case .optional: "\(elementType) | None"
        case .repeated: "list[\(elementType)]"
        }
    }

    var defaultValue: String {
        switch presence {
        case .optional: "None"
        case .repeated: "dataclasses.field(default_factory=list)"
        case .always: scalar == nil ? "dataclasses.field(default_factory=lambda: \(elementType)())" : scalarDefault
        }
    }

    /// The expression that reads the field.
    var read: String {
        let many = presence == .repeated ? "s" : ""
        guard let scalar else {
            return presence == .repeated ? "reader.messages(\(elementType))" : "\(elementType).read(reader)"
        }
        guard isEnum else { return "reader.\(scalar)\(many)()" }
        return presence == .repeated
            ? "[\(elementType)(number) for number in reader.int32s()]" : "\(elementType)(reader.int32())"
    }

    /// The expression that a checked value is written as.
    func written(_ value: String, place: String) -> String {
        guard let scalar else {
            return presence == .repeated ? "[each.to_wire() for each in \(value)]" : "\(value).to_wire()"
        }
        return "_codec.\(scalar)\(presence == .repeated ? "s" : "")(\(value), \(place))"
    }

    init(_ field: FieldDescriptor) throws {
        name = field.name
        guard !Names.pythonKeywords.contains(name) else {
            throw Failure("\(field.fullName): \(name) is a keyword of Python; choose another name")
        }
        comment = try pythonComment(field, indent: "    ")
        // protoc says `optional` by a oneof of its own that holds the field alone.
        let isOptional = field.containingOneof != nil && field.realContainingOneof == nil
        presence = field.isRepeated ? .repeated : isOptional ? .optional : .always
        isEnum = field.type == .enum
        switch field.type {
        case .bool: (elementType, scalarDefault, scalar) = ("bool", "False", "boolean")
        case .uint32: (elementType, scalarDefault, scalar) = ("int", "0", "uint32")
        case .uint64: (elementType, scalarDefault, scalar) = ("int", "0", "uint64")
        case .int32: (elementType, scalarDefault, scalar) = ("int", "0", "int32")
        case .int64: (elementType, scalarDefault, scalar) = ("int", "0", "int64")
        case .float: (elementType, scalarDefault, scalar) = ("float", "0.0", "float32")
        case .double: (elementType, scalarDefault, scalar) = ("float", "0.0", "float64")
        case .string: (elementType, scalarDefault, scalar) = ("str", "\"\"", "string")
        case .bytes: (elementType, scalarDefault, scalar) = ("bytes", "b\"\"", "blob")
        case .message: (elementType, scalarDefault, scalar) = (field.messageType.name, "", nil)
        case .enum:
            let first = try Names.pythonEnumCase(field.enumType.values[0].name, of: field.enumType.name)
            (elementType, scalarDefault, scalar) = (field.enumType.name, "\(field.enumType.name).\(first)", "int32")
        case .fixed32, .fixed64, .sfixed32, .sfixed64, .sint32, .sint64, .group:
            throw Failure("\(field.fullName): type \(field.type) is not generated")
        }
    }
}
