import SinewMessagePack
import SinewWire
import TestSupport
import Testing

@Suite struct MessageTests {
    /// A tensor message with each part as asked.
    private func tensor(dtype: String, shape: [UInt64], data: [UInt8]) -> [UInt8] {
        var packer = Packer()
        packer.packMapHeader(count: 3)
        packer.pack("shape")
        packer.packArrayHeader(count: shape.count)
        for extent in shape { packer.pack(extent) }
        packer.pack("dtype")
        packer.pack(dtype)
        packer.pack("data")
        packer.pack(binary: data)
        return packer.finish()
    }

    private func failure(_ bytes: [UInt8]) -> WireError? {
        do throws(WireError) {
            _ = try Tensor(decoding: bytes)
            return nil
        } catch { return error }
    }

    @Test func `a tensor's data must be as long as its shape and type say`() throws {
        let bytes = Array(UInt8(0)..<24)
        #expect(try Tensor(decoding: tensor(dtype: "float32", shape: [2, 3], data: bytes)).floats?.count == 6)
        #expect(try Tensor(decoding: tensor(dtype: "float64", shape: [3], data: bytes)).floats?.count == 3)
        #expect(try Tensor(decoding: tensor(dtype: "uint8", shape: [24], data: bytes)).bytes == bytes)
        #expect(try Tensor(decoding: tensor(dtype: "int32", shape: [6], data: bytes)).elements.count == 6)
        #expect(try Tensor(decoding: tensor(dtype: "uint8", shape: [], data: [9])).bytes == [9])
        #expect(try Tensor(decoding: tensor(dtype: "float32", shape: [0, 29, 3], data: [])).elements.count == 0)
        let message = failure(tensor(dtype: "float32", shape: [2, 3], data: Array(bytes.dropLast())))?.message ?? ""
        #expect(message.contains("data has 23 bytes, shape [2, 3] of Float needs 24"), "\(message)")
        #expect(failure(tensor(dtype: "float32", shape: [2, 4], data: bytes)) != nil)
    }

    @Test func `a shape whose product overflows is refused, not trapped on`() {
        let huge = UInt64(UInt32.max)
        #expect(failure(tensor(dtype: "uint8", shape: [huge, huge, huge], data: []))?.reason == .malformed)
        #expect(failure(tensor(dtype: "float64", shape: [huge, huge / 2], data: []))?.reason == .malformed)
        #expect(failure(tensor(dtype: "uint8", shape: [.max], data: []))?.reason == .malformed)
        #expect(failure(tensor(dtype: "uint8", shape: Array(repeating: 1, count: Tensor.axesMax), data: [0])) == nil)
        let axes = failure(tensor(dtype: "uint8", shape: Array(repeating: 1, count: Tensor.axesMax + 1), data: [0]))
        #expect(axes?.reason == .limitExceeded)
    }

    @Test func `an unknown element type names those that are known`() {
        let message = failure(tensor(dtype: "complex64", shape: [1], data: [0, 0, 0, 0, 0, 0, 0, 0]))?.message ?? ""
        #expect(message.contains("“complex64” is not one of float32, float64, int32, uint8"), "\(message)")
        #expect(failure([0x80])?.message.contains("a tensor without data") == true)
    }

    @Test func `an error names the message and the path to the field`() {
        var packer = Packer()
        packer.packMapHeader(count: 1)
        packer.pack("joints")
        packer.packMapHeader(count: 1)
        packer.pack("shape")
        packer.pack("2x3")
        let bytes = packer.finish()
        do throws(WireError) {
            _ = try SolvePosesRequest(decoding: bytes)
            Issue.record("decoded")
        } catch {
            #expect(
                error.message.hasPrefix("sinew.v1.SolvePosesRequest: joints.shape: expected an array, found a string"))
        }
    }

    @Test func `floats keep their bits, NaN and infinities included`() throws {
        let values: [Float] = [.nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
        let back = try Tensor(decoding: Tensor(values, shape: [6]).encode())
        #expect(back.floats?.map(\.bitPattern) == values.map(\.bitPattern))
    }

    @Test func `a missing field has its default and an enumeration keeps unknown numbers`() throws {
        #expect(try SolvePosesReply(decoding: [0x80]) == SolvePosesReply())
        #expect(try FleetStatusRequest(decoding: [0x81, 0xA1, 0x78, 0x01]) == FleetStatusRequest())
        let later = try HealthCheckReply(decoding: HealthCheckReply(status: .unrecognized(9)).encode())
        #expect(later.status == .unrecognized(9))
        #expect(ServingStatus(rawValue: 1) == .serving)
    }

    @Test func `a repeated key keeps its last value, and a key that is no string is refused`() throws {
        let twice: [UInt8] = [0x82, 0xA6] + Array("status".utf8) + [0x01, 0xA6] + Array("status".utf8) + [0x02]
        #expect(try HealthCheckReply(decoding: twice).status == .notServing)
        #expect(throws: WireError.self) { try HealthCheckReply(decoding: [0x81, 0x01, 0x02]) }
    }

    @Test func `damaged messages are refused or read as something, and never trap`() throws {
        let seed: UInt64 = 77
        var random = SplitMix64(seed: seed)
        var refused = 0
        for name in try GoldenVector.names() where !name.contains("head") {
            let original = try GoldenVector.bytes(name)
            for _ in 0..<400 {
                var bytes = original
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
                if (try? SolvePosesRequest(decoding: bytes)) == nil { refused += 1 }
                if (try? SolvePosesReply(decoding: bytes)) == nil { refused += 1 }
                if (try? FleetStatusReply(decoding: bytes)) == nil { refused += 1 }
                if (try? WorkerHello(decoding: bytes)) == nil { refused += 1 }
                if (try? ErrorDetail(decoding: bytes)) == nil { refused += 1 }
            }
        }
        #expect(refused > 1000, "seed \(seed)")
    }
}
