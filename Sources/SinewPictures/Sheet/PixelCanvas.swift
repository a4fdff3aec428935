/// A picture in memory, eight bits each of red, green and blue.
struct PixelCanvas {
    let width: Int
    let height: Int
    /// `[height, width, 3]`.
    private(set) var pixels: [UInt8]

    init(width: Int, height: Int, colour: SIMD3<UInt8>) {
        self.width = width
        self.height = height
        pixels = (0..<(width * height)).flatMap { _ in [colour.x, colour.y, colour.z] }
    }

    /// Copies another picture to a place; what lies outside is left out.
    mutating func draw(_ other: PixelCanvas, x: Int, y: Int) {
        for row in max(0, -y)..<max(0, -y, min(other.height, height - y)) {
            for column in max(0, -x)..<max(0, -x, min(other.width, width - x)) {
                for channel in 0..<3 {
                    pixels[((y + row) * width + x + column) * 3 + channel] =
                        other.pixels[(row * other.width + column) * 3 + channel]
                }
            }
        }
    }

    /// Mixes a colour into a pixel, `share` of 255 parts.
    mutating func blend(_ colour: SIMD3<UInt8>, share: UInt8, x: Int, y: Int) {
        guard (0..<width).contains(x), (0..<height).contains(y) else { return }
        let index = (y * width + x) * 3
        for channel in 0..<3 {
            let mixed = Int(pixels[index + channel]) * (255 - Int(share)) + Int(colour[channel]) * Int(share)
            pixels[index + channel] = UInt8((mixed + 127) / 255)
        }
    }

    mutating func fill(x: Int, y: Int, width: Int, height: Int, _ colour: SIMD3<UInt8>) {
        for row in y..<(y + height) { for column in x..<(x + width) { blend(colour, share: 255, x: column, y: row) } }
    }
}
