internal import Glibc

/// One HTTP request to this machine, for measuring.
package enum LoopbackRequest {
    /// Why there is no answer.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The body of an answer with status 200.
    package static func get(_ path: String, port: Int) throws(Failure) -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "no socket: \(systemMessage(errno))") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(clamping: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(description: "no connection: \(systemMessage(errno))") }
        let request = Array(
            "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n".utf8)
        // So short a request leaves at once or not at all.
        let sent = unsafe send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
        guard sent == request.count else {
            throw Failure(description: "not sent: \(systemMessage(errno))")
        }
        return try body(of: try readAll(descriptor))
    }

    private static func readAll(_ descriptor: Int32) throws(Failure) -> [UInt8] {
        var answer: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = unsafe recv(descriptor, &block, block.count, 0)
            guard count >= 0 else {
                throw Failure(description: "the answer broke off: \(systemMessage(errno))")
            }
            if count == 0 { return answer }
            answer += block[..<count]
        }
    }

    private static func body(of answer: [UInt8]) throws(Failure) -> [UInt8] {
        let separator = Array("\r\n\r\n".utf8)
        guard answer.starts(with: "HTTP/1.1 200".utf8),
            let end = answer.indices.first(where: { answer[$0...].starts(with: separator) })
        else {
            throw Failure(description: "not OK: \(String(decoding: answer.prefix(200), as: UTF8.self))")
        }
        return Array(answer[(end + separator.count)...])
    }
}
