/// What an ``Unpacker`` accepts; looked at before anything is allocated.
public struct UnpackingLimits: Sendable, Equatable {
    /// How many arrays and maps may stand inside each other. Real messages nest five deep; deeper input is an attack.
    public var nestingMax: Int
    /// How many elements an array, or pairs a map, may have.
    public var countMax: Int
    /// How many bytes a string may have.
    public var stringBytesMax: Int
    /// How many bytes a binary value may have.
    public var binaryBytesMax: Int

    /// Creates limits.
    ///
    /// The defaults suit a message of the service: nesting 16, 65 536 elements, strings of 64 KiB, binaries of 64 MiB.
    public init(
        nestingMax: Int = 16, countMax: Int = 65_536, stringBytesMax: Int = 64 << 10, binaryBytesMax: Int = 64 << 20
    ) {
        precondition(nestingMax >= 1 && countMax >= 0 && stringBytesMax >= 0 && binaryBytesMax >= 0)
        self.nestingMax = nestingMax
        self.countMax = countMax
        self.stringBytesMax = stringBytesMax
        self.binaryBytesMax = binaryBytesMax
    }
}
