public import SinewBody

/// The bundled bodies, loaded once and shared by every model of the process.
public struct BodyLibrary: Sendable {
    private let neutral: BodyModel
    private let female: BodyModel
    private let male: BodyModel

    /// Loads the three bundled bodies (2.2 MB each).
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` when one is missing or damaged.
    public init() throws(ModelError) {
        do throws(BodyError) {
            neutral = try BodyModel.bundled(.neutral)
            female = try BodyModel.bundled(.female)
            male = try BodyModel.bundled(.male)
        } catch {
            throw ModelError(.unusableFile, error.message)
        }
    }

    /// The process's library; the first caller loads it.
    public static func shared() throws(ModelError) -> BodyLibrary { try loaded.get() }

    private static let loaded: Result<BodyLibrary, ModelError> = {
        do throws(ModelError) { return .success(try BodyLibrary()) } catch { return .failure(error) }
    }()

    /// The body of a gender.
    public subscript(gender: Gender) -> BodyModel {
        switch gender {
        case .neutral: neutral
        case .female: female
        case .male: male
        }
    }

    /// The rest joints of every person of a batch.
    ///
    /// - Shape: `[count, 29, 3]`, metres, model frame.
    public func restJoints(for observations: PoseObservations) -> [Float] {
        restJoints(betas: observations.betas, genders: observations.genders)
    }

    /// The rest joints of people given by `betas` `[count, 10]` and their genders.
    public func restJoints(betas: [Float], genders: [Gender]) -> [Float] {
        precondition(betas.count == genders.count * BodyModel.shapeCount)
        var joints = [Float](repeating: 0, count: genders.count * Skeleton.positionCount * 3)
        for (person, gender) in genders.enumerated() {
            let row = betas[(person * BodyModel.shapeCount)..<((person + 1) * BodyModel.shapeCount)]
            restJointTable(gender).write(betas: row, into: &joints, at: person * Skeleton.positionCount * 3)
        }
        return joints
    }

    /// The table alone: a whole body would be ten arrays to retain for every person.
    private func restJointTable(_ gender: Gender) -> RestJointTable {
        switch gender {
        case .neutral: neutral.restJointTable
        case .female: female.restJointTable
        case .male: male.restJointTable
        }
    }
}
