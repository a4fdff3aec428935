package import SinewCore
package import SinewModels
package import SinewWire

/// A request that has been checked, whatever its people are solved from.
package protocol BatchedRequest: Sendable {
    /// People in the request.
    var itemCount: Int { get }
    /// The rows that can be solved, in ascending order.
    var rows: [Int] { get }
    /// The people that cannot, in ascending order.
    var errors: [ItemError] { get }
}

/// The people of one request that can be solved, and why the others cannot.
///
/// Everything that could harm a neighbour in a batch is looked at here, before the batch is made: shapes, finite values,
/// and ranges that catch wrong units. What is wrong with the request as a whole fails the call; what is wrong with one
/// person costs only that person.
package struct ValidatedRequest: BatchedRequest {
    /// People in the request.
    package let itemCount: Int
    /// The rows that can be solved, in ascending order.
    package let rows: [Int]
    /// The people of ``rows``.
    package let observations: PoseObservations
    /// The people that cannot, in ascending order.
    package let errors: [ItemError]
    /// Gauss-Newton steps after the model.
    package let refineSteps: Int

    /// Checks a request.
    ///
    /// - Parameter declaredItems: what the head of the call said; credits were counted by it.
    /// - Throws: ``CallFailure`` when the request is wrong as a whole.
    package init(
        _ request: SolvePosesRequest, declaredItems: Int, limits: Limits = Limits()
    ) throws(CallFailure) {
        let fields = try RequestFields(request, declaredItems: declaredItems, limits: limits)
        var rows: [Int] = []
        var errors: [ItemError] = []
        for person in 0..<fields.count {
            if let problem = fields.problem(of: person) {
                errors.append(problem)
            } else {
                rows.append(person)
            }
        }
        itemCount = fields.count
        self.rows = rows
        self.errors = errors
        refineSteps = fields.refineSteps
        observations = fields.observations(of: rows)
    }
}

/// Why a call ends with a status instead of poses.
package struct CallFailure: Error, Equatable {
    package let status: StatusCode
    package let code: ServiceErrorCode
    package let field: String
    package let message: String

    init(_ status: StatusCode, _ code: ServiceErrorCode, field: String = "", _ message: String) {
        self.status = status
        self.code = code
        self.field = field
        self.message = message
    }

    static func wrongShape(_ field: String, _ found: Tensor, expected: String) -> CallFailure {
        CallFailure(
            .invalidArgument, .wrongShape, field: field,
            "\(field) is \(found.typeAndShape), expected \(expected)")
    }

    /// The answer that tells the caller.
    var answer: Answer {
        let detail = ErrorDetail(message: message, code: UInt32(code.rawValue), field: field)
        return Answer(status: status, code: code, payload: detail.encode())
    }
}

/// What goes back to the broker for one task.
package struct Answer: Sendable, Equatable {
    package let status: StatusCode
    package let code: ServiceErrorCode
    package let payload: [UInt8]
    /// People whose poses it holds.
    package let itemsSolved: Int

    package init(status: StatusCode, code: ServiceErrorCode, payload: [UInt8], itemsSolved: Int = 0) {
        self.status = status
        self.code = code
        self.payload = payload
        self.itemsSolved = itemsSolved
    }
}
