internal import SinewArrayFiles
internal import SinewCore

/// An authorized-keys file that is read again when it has changed.
struct AuthorizedKeysFile: Sendable {
    let path: String
    private let limits: Limits
    private var version: FileVersion?

    /// What a look at the file found.
    enum Look: Sendable, Equatable {
        case unchanged
        case changed(AuthorizedKeys)
        /// The file cannot be read or is no list of keys; what was read before stays in force.
        case broken(String)
    }

    init(path: String, limits: Limits) {
        self.path = path
        self.limits = limits
    }

    /// Reads the file if it is another one than at the last look.
    ///
    /// - Parameter always: reads it even if it looks the same.
    mutating func look(always: Bool = false) -> Look {
        do {
            // Taken before the content is read: a change in between is found at the next look.
            let found = try FileVersion(of: path)
            guard always || found != version else { return .unchanged }
            version = found
            guard !found.isWritableByEverybody else {
                return .broken("\(path) can be changed by everybody on this machine; type: chmod o-w '\(path)'")
            }
            let bytes = try AtomicFile.read(path, bytesMax: limits.authorizedKeysBytesMax)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .broken("\(path) is not UTF-8 text")
            }
            return .changed(try AuthorizedKeys(text, path: path, limits: limits))
        } catch let error as AuthorizedKeys.Malformed {
            return .broken(error.message)
        } catch let error as ArrayFileError {
            // Said once, and again when the file is back.
            let isNew = version != nil || always
            version = nil
            return isNew ? .broken(error.message) : .unchanged
        } catch {
            preconditionFailure("neither the system's nor the file's mistake: \(error)")
        }
    }
}
