internal import Glibc

/// Writing to the two output streams: data to standard output, talk to standard error.
package enum StandardStreams {
    /// Writes one line of data.
    ///
    /// - Returns: whether anybody still reads; commands that write without an end stop when nobody does.
    @discardableResult
    package static func data(_ line: String) -> Bool { write(line + "\n", to: STDOUT_FILENO) }

    /// Writes one line of talk.
    package static func talk(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

    /// Writes talk without a line end, for a progress bar that redraws its line.
    package static func talkInPlace(_ text: String) { write(text, to: STDERR_FILENO) }

    /// Writes data without a line end, for a screen that is redrawn.
    package static func dataInPlace(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// Whether a person watches standard error.
    package static var talkIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether a person watches standard output.
    package static var dataIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes all of it; a reader that went away (`sinew status | head -1`) ends the writing, not the work.
    @discardableResult
    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        return unsafe bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[offset...])
                let written = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
                if written > 0 {
                    offset += written
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}
