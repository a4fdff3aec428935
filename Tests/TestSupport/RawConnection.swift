import Glibc

/// A TCP connection to this machine on which a test says whatever it likes, byte by byte, and reads when it likes.
public final class RawConnection {
    private let descriptor: Int32

    /// Why the system refused.
    public struct Failure: Error {
        /// The value of `errno`.
        public let errorNumber: Int32
    }

    /// Connects to a port of 127.0.0.1.
    public init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(errorNumber: errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(errorNumber: errno) }
    }

    /// Connects to an endpoint such as `tcp://127.0.0.1:7690`.
    public convenience init(endpoint: String) throws {
        guard let port = endpoint.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw Failure(errorNumber: EINVAL)
        }
        try self.init(port: port)
    }

    deinit { close(descriptor) }

    /// Sends bytes.
    public func write(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let rest = Array(bytes[sent...])
            let count = unsafe send(descriptor, rest, rest.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { throw Failure(errorNumber: errno) }
            sent += count
        }
    }

    /// Sends the same bytes again and again until so many are sent, or the other side has taken nothing for half a second.
    ///
    /// - Returns: the bytes that it took, or the system's buffers did.
    public func flood(_ bytes: [UInt8], byteCountMax: Int) throws -> Int {
        var sent = 0
        var rest: [UInt8] = []
        while sent < byteCountMax {
            var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard unsafe poll(&item, 1, 500) == 1 else { return sent }
            if rest.isEmpty { rest = bytes }
            let count = unsafe send(descriptor, rest, rest.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            guard count >= 0 else {
                if errno == EAGAIN { continue }
                throw Failure(errorNumber: errno)
            }
            rest.removeFirst(count)
            sent += count
        }
        return sent
    }

    /// Becomes a ZMTP peer with the mechanism NULL, as a DEALER.
    public func introduceAsDealer() throws {
        try write(ZMTP.greeting)
        // libzmq wants to be read before it goes on.
        try read(byteCount: ZMTP.greeting.count)
        try write(ZMTP.ready)
    }

    private func read(byteCount: Int) throws {
        var rest = [UInt8](repeating: 0, count: byteCount)
        while !rest.isEmpty {
            var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&item, 1, 30_000) == 1 else { throw Failure(errorNumber: ETIMEDOUT) }
            let count = unsafe recv(descriptor, &rest, rest.count, 0)
            guard count > 0 else { throw Failure(errorNumber: ECONNRESET) }
            rest.removeLast(count)
        }
    }

    /// What arrives next, waiting no longer than a generous deadline; nothing when the other side has closed.
    public func readSome() throws -> [UInt8] {
        var part = [UInt8](repeating: 0, count: 65_536)
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&item, 1, 30_000) == 1 else { throw Failure(errorNumber: ETIMEDOUT) }
        let count = unsafe recv(descriptor, &part, part.count, 0)
        return count <= 0 ? [] : Array(part.prefix(count))
    }

    /// Everything until the other side closes; waits no longer than a generous deadline for each part.
    public func readToEnd() throws -> [UInt8] {
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&item, 1, 30_000) == 1 else { throw Failure(errorNumber: ETIMEDOUT) }
            let count = unsafe recv(descriptor, &part, part.count, 0)
            // A reset is an end too.
            if count <= 0 { return all }
            all += part.prefix(count)
        }
    }
}

/// What ZMTP 3.0 peers say to each other, as bytes (ZeroMQ RFC 23).
public enum ZMTP {
    /// The greeting of a peer with the mechanism NULL.
    public static let greeting: [UInt8] = {
        let signature: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F]
        let mechanism = Array("NULL".utf8) + Array(repeating: 0, count: 16)
        return signature + [3, 0] + mechanism + Array(repeating: 0, count: 32)
    }()

    /// The READY of a DEALER.
    public static let ready: [UInt8] = {
        let property = [11] + Array("Socket-Type".utf8) + [0, 0, 0, 6] + Array("DEALER".utf8)
        let command = [5] + Array("READY".utf8) + property
        return [4, UInt8(command.count)] + command
    }()

    /// A message of frames of any size.
    public static func message(_ frames: [[UInt8]]) -> [UInt8] {
        frames.enumerated().flatMap { index, frame -> [UInt8] in
            let more: UInt8 = index < frames.count - 1 ? 1 : 0
            if frame.count < 256 { return [more, UInt8(frame.count)] + frame }
            let size = UInt64(frame.count)
            return [more | 2] + (0..<8).map { UInt8(truncatingIfNeeded: size >> (56 - 8 * UInt64($0))) } + frame
        }
    }
}
