/// The types of msgpack, without the widths in which a value may be written.
public enum MessagePackKind: Sendable, Equatable, CaseIterable {
    case `nil`, bool, integer, float, string, binary, array, map, `extension`
}
