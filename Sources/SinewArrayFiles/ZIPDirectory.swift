/// The members of a ZIP archive, as its central directory lists them.
///
/// Read: stored and deflated members. Refused by name: zip64, encryption, several volumes. Every offset is checked against the
/// file before it is used, and every size before anything is allocated.
/// - Source: PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16.
struct ZIPDirectory {
    struct Member {
        var name: String
        var flags: Int
        var method: Int
        var checksum: Int
        var compressedBytes: Int
        var bytes: Int
        var headerOffset: Int
    }

    static let localSignature = 0x0403_4B50
    static let centralSignature = 0x0201_4B50
    static let endSignature = 0x0605_4B50
    private static let endBytes = 22

    let members: [Member]
    private let directoryOffset: Int
    private let path: String

    init(of file: [UInt8], path: String) throws(ArrayFileError) {
        self.path = path
        guard file.count >= 4, file[0] == 0x50, file[1] == 0x4B else {
            guard file.count >= 4 else {
                throw ArrayFileError(.truncated, "\(path) has \(file.count) bytes, too few for a ZIP archive")
            }
            throw ArrayFileError(
                .malformed, "\(path) is no .npz archive: it does not start with PK; was it saved by numpy.savez?")
        }
        let end = try Self.findEnd(in: file, path: path)
        var reader = ByteReader(file, at: end + 4)
        guard let disk = reader.integer(size: 2), let directoryDisk = reader.integer(size: 2),
            let countHere = reader.integer(size: 2), let count = reader.integer(size: 2),
            let size = reader.integer(size: 4), let offset = reader.integer(size: 4)
        else { throw Self.truncated(path) }
        guard disk == 0, directoryDisk == 0, countHere == count else {
            throw ArrayFileError(.unsupported, "\(path) is one volume of a split archive; join the volumes first")
        }
        guard count != 0xFFFF, size != 0xFFFF_FFFF, offset != 0xFFFF_FFFF else { throw Self.zip64(path) }
        guard offset + size <= end else {
            throw ArrayFileError(.malformed, "\(path): the archive's directory lies outside the file")
        }
        directoryOffset = offset
        members = try Self.readMembers(
            file, range: offset..<(offset + size), count: count, path: path)
    }

    /// The member's content, expanded and checked against its CRC-32.
    func contents(of member: Member, in file: [UInt8]) throws(ArrayFileError) -> [UInt8] {
        let what = "\"\(member.name)\" in \(path)"
        guard member.flags & 1 == 0 else {
            throw ArrayFileError(.unsupported, "\(what) is encrypted; extract it and save it again without a password")
        }
        var reader = ByteReader(file, at: member.headerOffset)
        guard member.headerOffset <= directoryOffset, reader.integer(size: 4) == Self.localSignature,
            reader.take(22) != nil, let nameBytes = reader.integer(size: 2), let extraBytes = reader.integer(size: 2),
            let name = reader.take(nameBytes), reader.take(extraBytes) != nil
        else { throw ArrayFileError(.malformed, "\(what): its local header is damaged; copy or export the file again") }
        guard String(decoding: name, as: UTF8.self) == member.name else {
            throw ArrayFileError(.malformed, "\(what): the local header names another member")
        }
        guard reader.offset + member.compressedBytes <= directoryOffset, let data = reader.take(member.compressedBytes)
        else { throw ArrayFileError(.truncated, "\(what) runs into the archive's directory; export the file again") }
        let bytes: [UInt8]
        switch member.method {
        case 0:
            guard member.bytes == member.compressedBytes else {
                throw ArrayFileError(.malformed, "\(what) is stored but has two different sizes")
            }
            bytes = Array(data)
        case 8:
            guard let expanded = Deflate.expand(data, to: member.bytes) else {
                throw ArrayFileError(.malformed, "\(what) does not expand to the size it claims; export the file again")
            }
            bytes = expanded
        default:
            throw ArrayFileError(
                .unsupported,
                "\(what) uses ZIP compression method \(member.method); save it with numpy.savez or savez_compressed")
        }
        guard Int(Deflate.checksum(bytes[...])) == member.checksum else {
            throw ArrayFileError(
                .malformed, "\(what) is damaged: its CRC-32 does not match; copy or export the file again")
        }
        return bytes
    }

    private static func findEnd(in file: [UInt8], path: String) throws(ArrayFileError) -> Int {
        // The end record is the last thing in the file but for a comment of at most 65 535 bytes.
        var position = file.count - endBytes
        let lowest = max(0, position - 0xFFFF)
        while position >= lowest {
            var reader = ByteReader(file, at: position)
            if reader.integer(size: 4) == endSignature {
                var comment = ByteReader(file, at: position + 20)
                if let length = comment.integer(size: 2), position + endBytes + length == file.count { return position }
            }
            position -= 1
        }
        throw truncated(path)
    }

    private static func readMembers(
        _ file: [UInt8], range: Range<Int>, count: Int, path: String
    ) throws(ArrayFileError) -> [Member] {
        var members: [Member] = []
        var names: Set<String> = []
        var reader = ByteReader(file, at: range.lowerBound)
        for _ in 0..<count {
            guard reader.integer(size: 4) == centralSignature, reader.take(4) != nil,
                let flags = reader.integer(size: 2), let method = reader.integer(size: 2), reader.take(4) != nil,
                let checksum = reader.integer(size: 4), let compressed = reader.integer(size: 4),
                let bytes = reader.integer(size: 4), let nameBytes = reader.integer(size: 2),
                let extraBytes = reader.integer(size: 2), let commentBytes = reader.integer(size: 2),
                reader.take(8) != nil, let offset = reader.integer(size: 4), let name = reader.take(nameBytes),
                reader.take(extraBytes + commentBytes) != nil, reader.offset <= range.upperBound
            else {
                throw ArrayFileError(.malformed, "\(path): the archive's directory is damaged; export the file again")
            }
            guard compressed != 0xFFFF_FFFF, bytes != 0xFFFF_FFFF, offset != 0xFFFF_FFFF else { throw zip64(path) }
            let text = String(decoding: name, as: UTF8.self)
            guard names.insert(text).inserted else {
                throw ArrayFileError(.malformed, "\(path) holds \"\(text)\" twice")
            }
            members.append(
                Member(
                    name: text, flags: flags, method: method, checksum: checksum, compressedBytes: compressed,
                    bytes: bytes, headerOffset: offset))
        }
        return members
    }

    private static func truncated(_ path: String) -> ArrayFileError {
        ArrayFileError(
            .truncated, "\(path) ends before the archive's directory: it is truncated; copy or export the file again")
    }

    private static func zip64(_ path: String) -> ArrayFileError {
        ArrayFileError(
            .unsupported, "\(path) is a zip64 archive (over 4 GiB or 65 534 arrays); split it into smaller files")
    }
}
