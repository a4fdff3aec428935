internal import SinewArrayFiles

/// A glTF 2.0 file: its JSON, and the numbers that its accessors name.
///
/// Read are `.glb` and `.gltf` with buffers inside or in a file of the same folder. Everything is checked against the bytes that are there
/// before anything is allocated, and all accessors together may not claim more bytes than the buffers have.
/// - Source: Khronos, "glTF 2.0 Specification".
struct GLTFFile {
    let json: JSONValue
    let path: String
    /// The second chunk of a `.glb`.
    private let chunk: ArraySlice<UInt8>?
    private var buffers: [Int: ArraySlice<UInt8>] = [:]
    private var numbers: [Int: [Double]] = [:]
    private var bytesLeft = 0

    private static let jsonChunk = 0x4E4F_534A
    private static let binaryChunk = 0x004E_4942
    /// The largest offset or count that is believed; no file is larger, and products of two cannot overflow with 256.
    private static let offsetMax = 1 << 40

    init(_ bytes: [UInt8], path: String) throws(FormatError) {
        self.path = path
        func wrong(_ what: String) -> FormatError { FormatError(.unreadableFile, "\(path): \(what)") }
        var text = bytes[...]
        var binary: ArraySlice<UInt8>?
        if bytes.starts(with: Array("glTF".utf8)) {
            func word(_ offset: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) } }
            guard bytes.count >= 20, word(4) == 2 else { throw wrong("it is no glTF 2.0 file; export it as glTF 2.0") }
            guard word(8) <= bytes.count else { throw wrong("it ends too early; copy the file again") }
            var at = 12
            var first: ArraySlice<UInt8>?
            while at + 8 <= word(8) {
                let (count, kind, start) = (word(at), word(at + 4), at + 8)
                guard count <= word(8) - start else { throw wrong("a chunk at byte \(at) reaches behind its end") }
                if first == nil {
                    guard kind == Self.jsonChunk else { throw wrong("its first chunk is not JSON") }
                    first = bytes[start..<(start + count)]
                } else if binary == nil, kind == Self.binaryChunk {
                    binary = bytes[start..<(start + count)]
                }
                at = start + count
            }
            guard let first else { throw wrong("it has no JSON chunk") }
            text = first
        }
        chunk = binary
        json = try rewording { () throws(ArrayFileError) in try JSONValue.parse(text, name: path) }
        let version = json["asset"]?["version"]?.string ?? ""
        guard version.hasPrefix("2.") else {
            throw wrong("its asset.version is \"\(version)\"; glTF 2.0 is read, export it as that")
        }
    }

    func wrong(_ what: String) -> FormatError { FormatError(.invalidData, "\(path): \(what)") }

    /// The objects of a list of the file; none where there is no such list.
    func list(_ name: String) throws(FormatError) -> [JSONValue] {
        guard let found = json[name] else { return [] }
        guard let values = found.array else { throw wrong("\"\(name)\" is no list") }
        return values
    }

    /// A whole number of an object, or nil where it is left out.
    func whole(_ value: JSONValue, _ field: String, below limit: Int, _ place: String) throws(FormatError) -> Int? {
        guard let found = value[field] else { return nil }
        guard let number = found.int, (0..<limit).contains(number) else {
            throw wrong("\(place): \"\(field)\" is no whole number in 0…\(limit - 1)")
        }
        return number
    }

    /// An accessor's numbers, element after element; whole numbers that stand for fractions are divided.
    ///
    /// - Parameter kind: `SCALAR`, `VEC3`, `VEC4` or `MAT4`, which the accessor must be of.
    mutating func accessor(_ index: Int, kind: String, _ what: String) throws(FormatError) -> [Double] {
        let accessors = try list("accessors")
        guard accessors.indices.contains(index) else {
            throw wrong("\(what) names accessor \(index), which is not there")
        }
        let accessor = accessors[index]
        let place = "accessor \(index) (\(what))"
        guard accessor["type"]?.string == kind else {
            throw wrong("\(place) is of type \(accessor["type"]?.string ?? "none"), \(kind) is needed")
        }
        if let known = numbers[index] { return known }
        guard accessor["sparse"] == nil else {
            throw wrong("\(place) is sparse, which is not read; export without sparse accessors")
        }
        let component = try Component(accessor, place: place, in: self)
        guard let count = try whole(accessor, "count", below: Self.offsetMax, place), count > 0 else {
            throw wrong("\(place) has no elements")
        }
        let width = ["SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16][kind] ?? 0
        let view = try view(accessor, place)
        let element = width * component.byteCount
        let offset = try whole(accessor, "byteOffset", below: Self.offsetMax, place) ?? 0
        let stride = view.stride ?? element
        guard stride >= element, offset + (count - 1) * stride + element <= view.bytes.count else {
            throw wrong(
                "\(place) claims \(count) elements from byte \(offset) of a view of \(view.bytes.count) bytes; the file is "
                    + "damaged, export it again")
        }
        bytesLeft -= count * element
        guard bytesLeft >= 0 else { throw wrong("its accessors claim more numbers than its buffers hold") }
        var found: [Double] = []
        found.reserveCapacity(count * width)
        for row in 0..<count {
            for column in 0..<width {
                let at = view.bytes.startIndex + offset + row * stride + column * component.byteCount
                let value = component.value(view.bytes[at..<(at + component.byteCount)])
                guard value.isFinite else { throw wrong("\(place): element \(row) is \(value), which is no number") }
                found.append(value)
            }
        }
        numbers[index] = found
        return found
    }

    private mutating func view(
        _ accessor: JSONValue, _ place: String
    ) throws(FormatError) -> (bytes: ArraySlice<UInt8>, stride: Int?) {
        let views = try list("bufferViews")
        guard let index = try whole(accessor, "bufferView", below: Self.offsetMax, place), views.indices.contains(index)
        else { throw wrong("\(place) names no buffer view that is there") }
        let view = views[index]
        let name = "buffer view \(index)"
        if let extensions = view["extensions"]?.members, let first = extensions.first {
            throw wrong("\(name) is packed by \(first.key), which is not read; export without compression")
        }
        guard let buffer = try whole(view, "buffer", below: Self.offsetMax, name),
            let count = try whole(view, "byteLength", below: Self.offsetMax, name)
        else { throw wrong("\(name) does not say which bytes of which buffer it is") }
        let offset = try whole(view, "byteOffset", below: Self.offsetMax, name) ?? 0
        let bytes = try bytes(ofBuffer: buffer)
        guard offset + count <= bytes.count else {
            throw wrong("\(name) reaches to byte \(offset + count) of a buffer of \(bytes.count)")
        }
        let start = bytes.startIndex + offset
        return (bytes[start..<(start + count)], try whole(view, "byteStride", below: 253, name))
    }

    private mutating func bytes(ofBuffer index: Int) throws(FormatError) -> ArraySlice<UInt8> {
        if let known = buffers[index] { return known }
        let listed = try list("buffers")
        guard listed.indices.contains(index) else { throw wrong("there is no buffer \(index)") }
        let place = "buffer \(index)"
        guard let count = try whole(listed[index], "byteLength", below: Self.offsetMax, place) else {
            throw wrong("\(place) does not say how many bytes it has")
        }
        let bytes: ArraySlice<UInt8>
        if let uri = listed[index]["uri"]?.string {
            bytes = try GLTFResource.bytes(of: uri, beside: path, place)[...]
        } else {
            guard index == 0, let chunk else { throw wrong("\(place) has no uri, and the file no binary chunk for it") }
            bytes = chunk
        }
        guard count <= bytes.count else {
            throw wrong("\(place) claims \(count) bytes, but there are \(bytes.count); copy or export the file again")
        }
        buffers[index] = bytes.prefix(count)
        bytesLeft += count
        return bytes.prefix(count)
    }

    /// How a number is written.
    private struct Component {
        let byteCount: Int
        private let code: Int

        init(_ accessor: JSONValue, place: String, in file: GLTFFile) throws(FormatError) {
            code = accessor["componentType"]?.int ?? 0
            guard let size = [5120: 1, 5121: 1, 5122: 2, 5123: 2, 5126: 4][code] else {
                throw file.wrong("\(place) has componentType \(code), which no skeleton or animation has")
            }
            guard code == 5126 || accessor["normalized"]?.bool == true else {
                throw file.wrong("\(place) holds whole numbers that are not normalized; floats are needed")
            }
            byteCount = size
        }

        func value(_ bytes: ArraySlice<UInt8>) -> Double {
            let bits = bytes.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            switch code {
            case 5120: return max(Double(Int8(truncatingIfNeeded: bits)) / 127, -1)
            case 5121: return Double(bits) / 255
            case 5122: return max(Double(Int16(truncatingIfNeeded: bits)) / 32767, -1)
            case 5123: return Double(bits) / 65535
            default: return Double(Float(bitPattern: bits))
            }
        }
    }
}

/// What a buffer's `uri` may name: bytes within itself, or a file of the same folder.
private enum GLTFResource {
    static func bytes(of uri: String, beside path: String, _ place: String) throws(FormatError) -> [UInt8] {
        if uri.hasPrefix("data:") {
            guard let comma = uri.utf8.firstIndex(of: UInt8(ascii: ",")), uri[..<comma].hasSuffix(";base64"),
                let bytes = base64(uri.utf8[uri.utf8.index(after: comma)...])
            else { throw FormatError(.unreadableFile, "\(path): \(place) has a data uri that is not base64") }
            return bytes
        }
        guard let name = percentDecoded(uri), isFileName(name) else {
            throw FormatError(
                .invalidData,
                "\(path): \(place) names \"\(uri.prefix(80))\"; only a file of the same folder is read. Put it there and name it "
                    + "without folders, or export as .glb")
        }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        return try rewording { () throws(ArrayFileError) in try FileContents.read(folder + name) }
    }

    private static func isFileName(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".")
            && name.unicodeScalars.allSatisfy { $0.value >= 32 && !["/", "\\", ":"].contains($0) }
    }

    private static func percentDecoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let decoded = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2
            else {
                return nil
            }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func base64(_ text: Substring.UTF8View) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var (group, count, padding) = (UInt32(0), 0, 0)
        for character in text {
            let value: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            case UInt8(ascii: "="):
                padding += 1
                value = 0
            default: return nil
            }
            guard padding == 0 || character == UInt8(ascii: "="), padding <= 2 else { return nil }
            group = group << 6 | UInt32(value)
            count += 1
            if count % 4 == 0 {
                for shift in [16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(shift))) }
            }
        }
        guard count % 4 == 0 else { return nil }
        bytes.removeLast(padding)
        return bytes
    }
}
