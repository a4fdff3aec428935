internal import SinewArrayFiles

/// Encodes pictures as PNG: eight bits each of red, green and blue.
///
/// - Source: PNG specification, third edition, §5 and §9.
enum PNGFile {
    /// - Parameter pixels: `[height, width, 3]`.
    static func bytes(pixels: [UInt8], width: Int, height: Int) -> [UInt8] {
        precondition(pixels.count == width * height * 3, "a picture has three bytes per pixel")
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        append("IHDR", bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, 2, 0, 0, 0], to: &file)
        let filtered = filtered(pixels, stride: width * 3)
        append("IDAT", [0x78, 0x9C] + Deflate.compress(filtered) + bigEndian(adler(filtered)), to: &file)
        append("IEND", [], to: &file)
        return file
    }

    private static func append(_ name: String, _ content: [UInt8], to file: inout [UInt8]) {
        let body = Array(name.utf8) + content
        file += bigEndian(UInt32(content.count)) + body + bigEndian(Deflate.checksum(body[...]))
    }

    /// Each row by the filter that leaves the smallest numbers (§12.7): sub, up or Paeth.
    private static func filtered(_ pixels: [UInt8], stride: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(pixels.count + pixels.count / max(stride, 1))
        var best = [UInt8](repeating: 0, count: stride)
        var row = best
        for start in Swift.stride(from: 0, to: pixels.count, by: stride) {
            var leastSum = Int.max
            var chosen: UInt8 = 0
            for filter: UInt8 in [1, 2, 4] {
                var sum = 0
                for index in 0..<stride {
                    let left = index >= 3 ? Int(pixels[start + index - 3]) : 0
                    let up = start > 0 ? Int(pixels[start + index - stride]) : 0
                    let corner = start > 0 && index >= 3 ? Int(pixels[start + index - stride - 3]) : 0
                    let guess = filter == 1 ? left : filter == 2 ? up : paeth(left, up, corner)
                    let difference = UInt8(truncatingIfNeeded: Int(pixels[start + index]) - guess)
                    row[index] = difference
                    sum += Int(difference < 128 ? difference : 255 - difference)
                }
                guard sum < leastSum else { continue }
                leastSum = sum
                chosen = filter
                swap(&best, &row)
            }
            result.append(chosen)
            result += best
        }
        return result
    }

    private static func paeth(_ left: Int, _ up: Int, _ corner: Int) -> Int {
        let guess = left + up - corner
        let (a, b, c) = (abs(guess - left), abs(guess - up), abs(guess - corner))
        return a <= b && a <= c ? left : b <= c ? up : corner
    }

    /// zlib's checksum (RFC 1950).
    private static func adler(_ bytes: [UInt8]) -> UInt32 {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return b << 16 | a
    }

    private static func bigEndian(_ word: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
    }
}
