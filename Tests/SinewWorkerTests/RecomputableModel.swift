import SinewBody
import SinewModels
import SinewZeroMQ
import Synchronization

/// A model whose answer is plain arithmetic of the input, so that a test can compute it again and see any mixed-up row.
///
/// Some values of a person's last beta make it misbehave on purpose.
final class RecomputableModel: PoseModel {
    /// Values of beta 9 with a meaning.
    enum Trick {
        static let answersNaN: Float = 9
        static let refusesByNumber: Float = 8
        static let refusesTheBatch: Float = 7
        static let breaks: Float = 6
    }

    let identity: ModelIdentity
    /// Every batch waits here; open by default.
    let gate: Gate?
    private let batches = Mutex<[Int]>([])

    init(name: String = "recomputable", version: String = "1", gate: Gate? = nil) {
        identity = ModelIdentity(name: name, version: version, weightsSHA256: "abc123", architecture: "arithmetic")
        self.gate = gate
    }

    /// The sizes of the batches that were solved, in order.
    var batchSizes: [Int] { batches.withLock { $0 } }

    func solve(_ observations: PoseObservations, isCancelled: () -> Bool) throws(ModelError) -> PoseSolutions {
        if let gate { try gate.pass(isCancelled: isCancelled) }
        var solutions = PoseSolutions(count: observations.count)
        for row in 0..<observations.count {
            switch observations.betas[row * 10 + 9] {
            case Trick.answersNaN: solutions.theta[row * 72 + 5] = .nan
            case Trick.refusesByNumber:
                throw ModelError(.degenerateInput, "person \(row): cannot be solved", person: row)
            case Trick.refusesTheBatch: throw ModelError(.degenerateInput, "cannot be solved")
            case Trick.breaks: throw ModelError(.unusableFile, "the weights are gone")
            default: RecomputableModel.fill(&solutions, row, from: observations)
            }
        }
        batches.withLock { $0.append(observations.count) }
        return solutions
    }

    private static func fill(_ solutions: inout PoseSolutions, _ row: Int, from people: PoseObservations) {
        let genderCode: Float =
            switch people.genders[row] {
            case .neutral: 0
            case .female: 1
            case .male: 2
            }
        var sigmaSum: Float = 0
        for joint in 0..<29 { sigmaSum += people.sigma[row * 29 + joint] }
        for column in 0..<72 {
            let twist = people.hasTwists[row] ? people.twists[row * 23 + column % 23] : 100
            solutions.theta[row * 72 + column] =
                people.joints[row * 87 + column] * 3 + people.betas[row * 10 + column % 10] + twist + genderCode
        }
        for axis in 0..<3 { solutions.translation[row * 3 + axis] = people.joints[row * 87 + axis] }
        for column in 0..<87 { solutions.joints[row * 87 + column] = people.joints[row * 87 + column] + 1 }
        solutions.latentNorm[row] = sigmaSum
        solutions.jointResidualMillimetres[row] = people.joints[row * 87 + 86]
        solutions.boneLengthChange[row] = people.betas[row * 10]
        solutions.unobservedJoints[row] = Int32(29 - people.observed[row].nonzeroBitCount)
    }
}

/// Holds compute threads inside a model until a test lets them go.
final class Gate: Sendable {
    /// Woken when a batch has arrived at the gate.
    let arrived: Waker
    private let opened: Waker
    private let wasCancelled = Atomic<Bool>(false)

    init() throws(ZeroMQError) {
        arrived = try Waker()
        opened = try Waker()
    }

    /// Lets everything through, now and later.
    func open() { opened.wake() }

    /// Whether a batch left the gate because it was cancelled.
    var sawCancellation: Bool { wasCancelled.load(ordering: .acquiring) }

    func pass(isCancelled: () -> Bool) throws(ModelError) {
        arrived.wake()
        opened.wait()
        guard isCancelled() else { return }
        wasCancelled.store(true, ordering: .releasing)
        arrived.wake()
        throw .cancelled
    }

    /// Waits until a batch is at the gate; false after a generous deadline.
    func waitForArrival() throws -> Bool {
        var poller = Poller()
        _ = poller.add(arrived)
        let isThere = try poller.wait(atMost: generousDeadline)
        arrived.clear()
        return isThere
    }
}
