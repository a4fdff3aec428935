internal import Glibc

/// The terminal while `sinew top` has it: no echo, no line editing, the alternate screen, no cursor.
///
/// ``leave()`` gives it back as it was; calling it twice does no harm.
struct RawTerminal {
    private var saved: termios?

    /// Whether there is one to read keys from and to draw on.
    static var isThere: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

    /// - Throws: ``CommandFailure`` when the terminal refuses.
    mutating func enter() throws(CommandFailure) {
        guard saved == nil else { return }
        var settings = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else {
            throw CommandFailure(
                .software, "the terminal does not tell its settings (errno \(errno)); try sinew top --once")
        }
        saved = settings
        // Signals by keys (Ctrl-C, Ctrl-Z) come as bytes, so that the screen is put in order before anything happens.
        settings.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG | IEXTEN)
        settings.c_oflag &= ~tcflag_t(OPOST)
        settings.c_iflag &= ~tcflag_t(IXON | ICRNL | BRKINT | INPCK | ISTRIP)
        _ = unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
        StandardStreams.dataInPlace("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J")
    }

    mutating func leave() {
        guard var settings = saved else { return }
        saved = nil
        StandardStreams.dataInPlace("\u{1B}[?25h\u{1B}[?1049l")
        _ = unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
    }

    /// Columns and lines; what is not known is 80 × 24.
    static var size: (width: Int, height: Int) {
        var window = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(window.ws_col), Int(window.ws_row))
    }

    /// Draws from the upper left corner on, without a flicker: each line clears its own rest.
    static func draw(_ lines: [String]) {
        let text = lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        StandardStreams.dataInPlace("\u{1B}[H" + text + "\u{1B}[J")
    }

    /// Bytes that were typed within `milliseconds`; empty when none were, nil when the terminal is gone.
    static func read(within milliseconds: Int32) -> [UInt8]? {
        var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        let ready = unsafe poll(&descriptor, 1, milliseconds)
        guard ready > 0 else { return ready == 0 || errno == EINTR ? [] : nil }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe Glibc.read(STDIN_FILENO, buffer.baseAddress, buffer.count)
        }
        if count < 0 && errno == EINTR { return [] }
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }
}
