import SinewArrayFiles
import SinewBody
import SinewClient
import SinewCommands
import SinewFormats
import SinewModels
import Testing

struct CommandFailureTests {
    @Test(arguments: [
        (StatusCode.ok, CommandStatus.ok), (.cancelled, .interrupted), (.unknown, .software),
        (.invalidArgument, .badData), (.deadlineExceeded, .tryAgain), (.notFound, .usage), (.alreadyExists, .usage),
        (.permissionDenied, .refused), (.resourceExhausted, .tryAgain), (.failedPrecondition, .software),
        (.aborted, .tryAgain), (.outOfRange, .badData), (.unimplemented, .software), (.internal, .software),
        (.unavailable, .unavailable), (.dataLoss, .software), (.unauthenticated, .refused),
    ])
    func `every status of a call has its exit status`(code: StatusCode, status: CommandStatus) {
        #expect(code.exitStatus == status)
    }

    @Test func `exit statuses keep the numbers that scripts rely on`() {
        let all: [CommandStatus] = [
            .ok, .someItemsFailed, .usage, .badData, .noInput, .unavailable, .software, .tryAgain, .refused,
            .interrupted,
        ]
        #expect(all.map(\.rawValue) == [0, 3, 64, 65, 66, 69, 70, 75, 77, 130])
    }

    @Test func `a library's error becomes one status and keeps its message`() {
        let cases: [(any Error, CommandStatus)] = [
            (ArrayFileError(.missingFile, "m"), .noInput), (ArrayFileError(.io, "m"), .noInput),
            (ArrayFileError(.truncated, "m"), .badData), (BodyError(.missingFile, "m"), .noInput),
            (BodyError(.invalidBody, "m"), .badData), (FormatError(.missingFile, "m"), .noInput),
            (FormatError(.invalidData, "m"), .badData), (ModelError(.unknownModel, "m"), .usage),
            (ModelError(.unusableFile, "m"), .badData), (ModelError(.degenerateInput, "m"), .badData),
            (CommandFailure(.refused, "m"), .refused),
        ]
        for (error, status) in cases {
            #expect(CommandFailure(explaining: error) == CommandFailure(status, "m"), "\(error)")
        }
        #expect(CommandFailure(explaining: CancellationError())?.status == .interrupted)
    }
}

struct RestartBudgetTests {
    @Test func `a process may die as often as the limit within the window and not once more`() throws {
        var budget = RestartBudget()
        let start = ContinuousClock.Instant.now
        for index in 0..<RestartBudget.restartsMax {
            let told = try budget.spend(on: "worker 1", .signalled(9), at: start + .milliseconds(index))
            #expect(told == "worker 1 ended (signal 9); starting it again")
        }
        let failure = #expect(throws: CommandFailure.self) {
            try budget.spend(on: "worker 1", .signalled(9), at: start + RestartBudget.window)
        }
        #expect(failure?.status == .unavailable)
        #expect(failure?.message.contains("signal 9") == true)
        #expect(budget.total == RestartBudget.restartsMax)
    }

    @Test func `deaths that are long ago do not count`() throws {
        var budget = RestartBudget()
        let start = ContinuousClock.Instant.now
        for index in 0..<(3 * RestartBudget.restartsMax) {
            _ = try budget.spend(on: "worker 1", .exited(1), at: start + .seconds(3 * index))
        }
        #expect(budget.total == 3 * RestartBudget.restartsMax)
    }
}
