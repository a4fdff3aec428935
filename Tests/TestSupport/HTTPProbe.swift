/// Asks an HTTP server of this machine, one connection a request, without any HTTP library.
public struct HTTPProbe: Sendable {
    /// On 127.0.0.1.
    public let port: UInt16

    /// Asks whoever listens on a port of this machine.
    public init(port: Int) { self.port = UInt16(port) }

    /// What came back.
    public struct Reply: Sendable {
        /// For example 200.
        public let status: Int
        /// By names in lower case.
        public let fields: [String: String]
        /// What followed the head.
        public let body: [UInt8]
        /// The body as UTF-8.
        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// What came back was no HTTP.
    public struct NoReply: Error {
        /// What came.
        public let bytes: [UInt8]
    }

    /// Sends a request and reads the answer to its end.
    public func request(
        _ method: String = "GET", _ path: String, _ fields: [(String, String)] = [], host: String = "127.0.0.1",
        body: String = ""
    ) throws -> Reply {
        let connection = try RawConnection(port: port)
        var head = "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        if !body.isEmpty { head += "Content-Length: \(body.utf8.count)\r\n" }
        try connection.write(Array((head + "\r\n" + body).utf8))
        return try Self.parse(try connection.readToEnd())
    }

    /// Asks for a path.
    public func get(_ path: String) throws -> Reply { try request("GET", path) }

    /// Reads an answer with a length, or one that ends with its connection.
    public static func parse(_ bytes: [UInt8]) throws -> Reply {
        let mark = Array("\r\n\r\n".utf8)
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }) else {
            throw NoReply(bytes: bytes)
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, let status = Int(words[1]) else { throw NoReply(bytes: bytes) }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields[line[..<colon].lowercased()] = String(value)
        }
        var body = Array(bytes[(end + mark.count)...])
        if let length = fields["content-length"].flatMap({ Int($0) }) { body = Array(body.prefix(length)) }
        return Reply(status: status, fields: fields, body: body)
    }
}

/// A reader of an event stream.
public final class EventProbe {
    private let connection: RawConnection
    private var text = ""

    /// One event.
    public struct Event: Sendable, Equatable {
        /// After `event:`.
        public let name: String
        /// After `data:`.
        public let data: String
    }

    /// Opens the stream; the answer's head is read with the first event.
    public init(port: Int, path: String) throws {
        connection = try RawConnection(port: UInt16(port))
        try connection.write(
            Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".utf8))
    }

    /// The next event; nil when the stream has ended.
    public func next() throws -> Event? {
        while true {
            // A chunk's size stands on a line of its own before each event; only the lines that are ours are looked at.
            if let event = takeEvent() { return event }
            let part = try connection.readSome()
            if part.isEmpty { return nil }
            text += String(decoding: part, as: UTF8.self)
        }
    }

    private func takeEvent() -> Event? {
        guard let begin = text.firstRange(of: "event: "), let end = text[begin.upperBound...].firstRange(of: "\n\n")
        else {
            return nil
        }
        let lines = text[begin.upperBound..<end.lowerBound].split(separator: "\n")
        text = String(text[end.upperBound...])
        let data = lines.count > 1 ? lines[1].dropFirst("data: ".count) : ""
        return Event(name: lines.first.map { String($0) } ?? "", data: String(data))
    }
}
