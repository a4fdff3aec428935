internal import SinewCore

extension JobHandle {
    /// Appends tasks.
    ///
    /// - Returns: how many tasks the job has from the beginning without a gap.
    @discardableResult
    public func append(_ tasks: [JobTask], deadline: Duration? = nil) async throws(ClientError) -> Int {
        var left = tasks[...]
        do {
            return try await append(deadline: deadline) { left.popFirst() }
        } catch let error as ClientError {
            throw error
        } catch {
            preconditionFailure("taking from an array threw \(error)")
        }
    }

    /// Appends the tasks that a closure makes, several messages at a time.
    ///
    /// A message holds up to a mebibyte of tasks, and at most ``ClientConfiguration/callsInFlightMax`` messages wait for their
    /// acknowledgement: memory stays bounded for a job of any length, and a broker that is busy or full slows `next`.
    /// - Parameters:
    ///   - deadline: for each message, from when it is sent first, over all its attempts.
    ///   - progress: is told how many tasks are acknowledged: they are on the broker's disk.
    ///   - next: makes the next task, or nil after the last one. Tasks come in the order of their places.
    /// - Returns: how many tasks the job has from the beginning without a gap.
    /// - Throws: ``ClientError``; or what `next` threw. What was acknowledged stays.
    @discardableResult
    public func append(
        deadline: Duration? = nil, progress: (Int) -> Void = { _ in }, _ next: () async throws -> JobTask?
    ) async throws -> Int {
        let inFlightMax = client.configuration.callsInFlightMax
        return try await withThrowingTaskGroup(of: Acknowledged.self) { group in
            var messages = AppendMessages()
            var underWay: [Int] = []
            var nextIndex = 0
            var count = 0
            var sentUpTo = 0
            var isAtEnd = false
            while !isAtEnd || !underWay.isEmpty {
                // A task far ahead of a missing one is refused, so the first message under way holds the others up.
                while !isAtEnd, underWay.count < inFlightMax,
                    sentUpTo - (underWay.min() ?? sentUpTo) <= Self.indexesAheadMax
                {
                    let tasks = try await messages.next(next)
                    guard let first = tasks.first, let last = tasks.last else {
                        isAtEnd = true
                        break
                    }
                    underWay.append(first.index)
                    sentUpTo = last.index
                    group.addTask { try await send(tasks, deadline: deadline) }
                }
                guard let answer = try await group.next() else { break }
                underWay.removeAll { $0 == answer.first }
                nextIndex = max(nextIndex, answer.nextIndex)
                count += answer.count
                progress(count)
            }
            return nextIndex
        }
    }

    /// Half of what the broker takes beyond the first missing task.
    private static let indexesAheadMax = 32_768

    private struct Acknowledged: Sendable {
        let first: Int
        let count: Int
        let nextIndex: Int
    }

    private func send(_ tasks: [JobTask], deadline: Duration?) async throws -> Acknowledged {
        let request = AppendTasksRequest(id: id.bytes, tasks: tasks.map(\.message))
        let reply = try await client.durableCall(Jobs.Append.self, request, deadline: deadline)
        return Acknowledged(first: tasks[0].index, count: tasks.count, nextIndex: Int(clamping: reply.nextIndex))
    }
}

/// Gathers tasks into messages.
private struct AppendMessages {
    /// The task that did not fit the message before.
    private var held: JobTask?

    /// A message of this size keeps the broker's group commits full; a larger task travels alone.
    private static let bytesMax = 1 << 20
    private static let countMax = 256

    /// The tasks of the next message; none after the last one.
    mutating func next(_ next: () async throws -> JobTask?) async throws -> [JobTask] {
        var tasks: [JobTask] = []
        var bytes = 0
        while tasks.count < Self.countMax {
            let task: JobTask
            if let first = held.take() {
                task = first
            } else if let made = try await next() {
                task = made
            } else {
                break
            }
            bytes += task.payloadByteCount + task.label.utf8.count + 128
            if !tasks.isEmpty, bytes > Self.bytesMax {
                held = task
                break
            }
            tasks.append(task)
        }
        return tasks
    }
}
