internal import Glibc

/// Colour and weight for people; plain text when the stream is no terminal or `NO_COLOR` is set (no-color.org).
package struct TextStyle: Sendable {
    package let isEnabled: Bool

    package init(isEnabled: Bool) { self.isEnabled = isEnabled }

    /// The style for text on standard error.
    package static var talk: TextStyle { TextStyle(isEnabled: StandardStreams.talkIsTerminal && colourIsWelcome) }

    /// The style for text on standard output.
    package static var data: TextStyle { TextStyle(isEnabled: StandardStreams.dataIsTerminal && colourIsWelcome) }

    package func bold(_ text: String) -> String { wrap(text, "1") }
    package func reversed(_ text: String) -> String { wrap(text, "7") }
    package func red(_ text: String) -> String { wrap(text, "31") }
    package func green(_ text: String) -> String { wrap(text, "32") }
    package func yellow(_ text: String) -> String { wrap(text, "33") }

    private func wrap(_ text: String, _ code: String) -> String {
        isEnabled ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    private static var colourIsWelcome: Bool {
        if let value = environmentValue("NO_COLOR"), !value.isEmpty { return false }
        return environmentValue("TERM") != "dumb"
    }
}

/// The value of an environment variable, `nil` when it is not set.
package func environmentValue(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}
