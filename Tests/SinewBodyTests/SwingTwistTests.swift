import SinewBody
import TestSupport
import Testing

struct SwingTwistTests {
    @Test func `swing after twist restores the rotation`() {
        let seed: UInt64 = 21
        var random = SplitMix64(seed: seed)
        for _ in 0..<500 {
            let rotation = RotationMatrix.random(using: &random)
            let bone = SIMD3<Double>.random(in: -1...1, using: &random)
            let parts = SwingTwist(rotation, restBone: bone)
            #expect(parts.rotation(restBone: bone).distance(to: rotation) < 1e-9, "seed \(seed)")
            // The twist leaves the bone where it is, the swing alone moves it, and by the shortest way.
            #expect(length(parts.swing * bone - rotation * bone) < 1e-9, "seed \(seed)")
            let between = SwingTwist.swing(from: bone, to: rotation * bone)
            #expect(abs(parts.swing.angle - between.angle) < 1e-9)
            #expect(parts.twistAngle > -Double.pi && parts.twistAngle <= .pi)
        }
    }

    @Test(arguments: [-3.0, -1.5, -0.1, 0, 0.1, 2, 3.1])
    func `a pure twist is recovered with its sign`(angle: Double) {
        let bone = SIMD3<Double>(0.1, -0.4, 0.05)
        let parts = SwingTwist(SwingTwist.twist(about: bone, angle: angle), restBone: bone)
        #expect(abs(parts.twistAngle - angle) < 1e-12)
        #expect(parts.swing.distance(to: .identity) < 1e-12)
    }

    @Test(
        arguments: [
            SIMD3<Double>(1, 0, 0), SIMD3(0, -2, 0), SIMD3(0, 0, 0.3), SIMD3(1, 1, 1), SIMD3(-0.2, 0.7, 0.1),
        ])
    func `an antiparallel bone swings by a half turn, not by nothing`(bone: SIMD3<Double>) {
        let swing = SwingTwist.swing(from: bone, to: -3 * bone)
        #expect(abs(swing.angle - .pi) < 1e-9)
        #expect(abs(swing.determinant - 1) < 1e-12)
        #expect(length(swing * bone + bone) < 1e-9)
    }

    @Test func `a bone without length swings nowhere`() {
        #expect(SwingTwist.swing(from: .zero, to: SIMD3(1, 0, 0)) == .identity)
        #expect(SwingTwist.swing(from: SIMD3(1, 0, 0), to: .zero) == .identity)
        #expect(SwingTwist.twist(about: .zero, angle: 1) == .identity)
        #expect(SwingTwist(RotationTests.quarterAboutZ, restBone: .zero).twistAngle == 0)
    }

    @Test func `a swing of nearly a half turn reaches its target`() {
        let bone = SIMD3<Double>(0, 1, 0)
        for exponent in 1...14 {
            var tilt = 1.0
            for _ in 0..<exponent { tilt /= 10 }
            let target = SIMD3<Double>(tilt, -1, 0)
            let swing = SwingTwist.swing(from: bone, to: target)
            #expect(length(swing * bone - target / length(target)) < 1e-9, "tilt \(tilt)")
        }
    }
}
