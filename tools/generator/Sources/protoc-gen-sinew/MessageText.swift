import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The Swift struct and codec of one message.
struct MessageText {
    private let message: Descriptor
    private let visible: String

    init(_ message: Descriptor, access: Access) {
        self.message = message
        visible = access.rawValue
    }

    func text() throws -> String {
        guard message.messages.isEmpty, message.enums.isEmpty, message.realOneofs.isEmpty else {
            throw Failure(
                "\(message.fullName): nested types and oneof are not generated; put the type at the top level")
        }
        let fields = try message.fields.map(Field.init)
        return try documentation(message, indent: "") + declaration(fields) + "\n" + codec(fields)
    }

    private func declaration(_ fields: [Field]) -> String {
        var text = "\(visible) struct \(message.name): Sendable, Equatable {\n"
        for field in fields {
            text += field.documentation
            text += "    \(visible) var \(field.name): \(field.type)\n"
        }
        text += fields.isEmpty ? "" : "\n"
        text += "    /// Creates a message; what is left out keeps its default.\n"
        if fields.isEmpty {
            text += "    \(visible) init() {}\n"
        } else {
            text += "    \(visible) init(\n"
            text += fields.map { "        \($0.name): \($0.type) = \($0.defaultValue)" }.joined(separator: ",\n")
            text += "\n    ) {\n"
            for field in fields { text += "        self.\(field.name) = \(field.name)\n" }
            text += "    }\n"
        }
        return text + "}\n"
    }

    private func codec(_ fields: [Field]) -> String {
        var text = """
            extension \(message.name): WireMessage {
                package static let messageName = "\(message.fullName)"

                package func pack(into packer: inout Packer) {

            """
        let always = fields.filter { $0.presence != .optional }.count
        let optional = fields.filter { $0.presence == .optional }
        if optional.isEmpty {
            text += "        packer.packMapHeader(count: \(always))\n"
        } else {
            text += "        var count = \(always)\n"
            for field in optional { text += "        if \(field.name) != nil { count += 1 }\n" }
            text += "        packer.packMapHeader(count: count)\n"
        }
        for field in fields {
            let label =
                switch field.presence {
                case .always: ""
                case .optional: "ifPresent: "
                case .repeated: "repeated: "
                }
            text += "        packer.packField(\"\(field.wireName)\", \(label)\(field.name))\n"
        }
        text += "    }\n\n"
        text += "    package static func unpack(from unpacker: inout Unpacker) throws(MessagePackError) -> Self {\n"
        if fields.isEmpty {
            text +=
                "        try unpacker.readFields { (unpacker, _) throws(MessagePackError) in try unpacker.skip() }\n"
            return text + "        return Self()\n    }\n}\n"
        }
        text += """
                    var message = Self()
                    try unpacker.readFields { (unpacker, field) throws(MessagePackError) in
                        switch field {

            """
        for field in fields {
            let read =
                switch field.presence {
                case .always, .optional: "\(field.elementType).unpack(from: &unpacker)"
                case .repeated: "unpacker.readRepeated()"
                }
            text += "            case \"\(field.wireName)\": message.\(field.name) = try \(read)\n"
        }
        return text + """
                        default: try unpacker.skip()
                        }
                    }
                    return message
                }
            }

            """
    }
}

/// One field of a message in Swift terms.
private struct Field {
    enum Presence { case always, optional, repeated }

    let wireName: String
    let name: String
    let elementType: String
    let presence: Presence
    let defaultValue: String
    let documentation: String

    var type: String {
        switch presence {
        case .always: elementType
        case .optional: elementType + "?"
        case .repeated: "[\(elementType)]"
        }
    }

    init(_ field: FieldDescriptor) throws {
        wireName = field.name
        name = Names.property(field.name)
        documentation = try protoc_gen_sinew.documentation(field, indent: "    ")
        // protoc says `optional` by a oneof of its own that holds the field alone.
        let isOptional = field.containingOneof != nil && field.realContainingOneof == nil
        presence = field.isRepeated ? .repeated : isOptional ? .optional : .always
        let scalarDefault: String
        switch field.type {
        case .bool: (elementType, scalarDefault) = ("Bool", "false")
        case .uint32: (elementType, scalarDefault) = ("UInt32", "0")
        case .uint64: (elementType, scalarDefault) = ("UInt64", "0")
        case .int32: (elementType, scalarDefault) = ("Int32", "0")
        case .int64: (elementType, scalarDefault) = ("Int64", "0")
        case .float: (elementType, scalarDefault) = ("Float", "0")
        case .double: (elementType, scalarDefault) = ("Double", "0")
        case .string: (elementType, scalarDefault) = ("String", "\"\"")
        case .bytes: (elementType, scalarDefault) = ("[UInt8]", "[]")
        case .message: (elementType, scalarDefault) = (field.messageType.name, "\(field.messageType.name)()")
        case .enum:
            let first = try Names.enumCase(field.enumType.values[0].name, of: field.enumType.name)
            (elementType, scalarDefault) = (field.enumType.name, ".\(first)")
        case .fixed32, .fixed64, .sfixed32, .sfixed64, .sint32, .sint64, .group:
            throw Failure("\(field.fullName): type \(field.type) is not generated")
        }
        defaultValue =
            switch presence {
            case .always: scalarDefault
            case .optional: "nil"
            case .repeated: "[]"
            }
    }
}
