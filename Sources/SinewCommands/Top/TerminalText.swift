/// Text of strangers in a terminal: made harmless, and measured in columns instead of characters.
package enum TerminalText {
    /// Names and labels come from anyone; control characters would move the cursor, change colours or turn the writing direction.
    package static func harmless(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isHarmless($0) ? $0 : "\u{FFFD}" }))
    }

    /// The columns that a terminal needs for it.
    package static func width(_ text: String) -> Int { text.reduce(0) { $0 + width($1) } }

    /// At most `columns` wide; what is cut off leaves an ellipsis.
    package static func cut(_ text: String, to columns: Int) -> String {
        guard width(text) > columns else { return text }
        guard columns > 0 else { return "" }
        var (kept, used) = ("", 0)
        for character in text {
            guard used + width(character) <= columns - 1 else { break }
            kept.append(character)
            used += width(character)
        }
        return kept + "…"
    }

    /// Exactly `columns` wide.
    package static func fit(_ text: String, to columns: Int, isLeft: Bool) -> String {
        let text = cut(text, to: columns)
        let padding = String(repeating: " ", count: max(0, columns - width(text)))
        return isLeft ? text + padding : padding + text
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    private static func width(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .control, .format: return 0
        default: break
        }
        // East Asian wide and full-width blocks, and pictographs that terminals draw over two columns (Unicode TR 11).
        switch first.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
            0x20000...0x3FFFD:
            return 2
        default: return first.properties.isEmojiPresentation ? 2 : 1
        }
    }
}
