internal import SinewArrayFiles
internal import SinewBody
internal import SinewBroker
internal import SinewClient
internal import SinewFormats
internal import SinewModels
internal import SinewStatus
internal import SinewWorker

extension CommandFailure {
    /// Turns what a command threw into a status and a message; `nil` for what ArgumentParser prints itself (help,
    /// version, usage).
    package init?(explaining error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let failure as ChildProcess.SpawnFailure: self.init(.software, failure.message)
        case let error as ArrayFileError: self.init(error.exitStatus, error.message)
        case let error as BodyError: self.init(error.reason == .missingFile ? .noInput : .badData, error.message)
        case let error as FormatError: self.init(error.exitStatus, error.message)
        case let error as ModelError: self.init(error.exitStatus, error.message)
        case let error as ClientError: self.init(error.exitStatus, error.description)
        case let error as BrokerError: self.init(error.exitStatus, error.message)
        case let error as StatusError: self.init(error.exitStatus, error.message)
        case let error as WorkerError: self.init(error.exitStatus, error.message)
        case is CancellationError: self.init(.interrupted, "interrupted")
        default: return nil
        }
    }
}

extension ArrayFileError {
    fileprivate var exitStatus: CommandStatus {
        switch reason {
        case .missingFile, .io: .noInput
        case .truncated, .malformed, .unsupported, .wrongShape: .badData
        }
    }
}

extension FormatError {
    fileprivate var exitStatus: CommandStatus {
        switch reason {
        case .missingFile, .io: .noInput
        case .unreadableFile, .invalidData: .badData
        }
    }
}

extension ModelError {
    fileprivate var exitStatus: CommandStatus {
        switch reason {
        case .cancelled: .interrupted
        case .unknownModel: .usage
        case .unusableFile, .degenerateInput: .badData
        }
    }
}

extension BrokerError {
    fileprivate var exitStatus: CommandStatus {
        switch reason {
        case .invalidLimits: .usage
        case .insecure: .refused
        case .unusableKeys: .badData
        case .cannotListen, .cannotOpenStore: .unavailable
        case .resourcesExhausted: .tryAgain
        }
    }
}

extension StatusError {
    fileprivate var exitStatus: CommandStatus {
        switch reason {
        case .addressInUse, .cannotListen: .unavailable
        case .insecure: .refused
        case .unusableToken: .badData
        case .resourcesExhausted: .tryAgain
        }
    }
}

extension WorkerError {
    fileprivate var exitStatus: CommandStatus {
        switch reason {
        case .configuration, .models: .usage
        case .transport: .unavailable
        }
    }
}

extension ClientError {
    fileprivate var exitStatus: CommandStatus {
        // Not a defect: another broker keeps jobs.
        code == .jobsDisabled ? .unavailable : status.exitStatus
    }
}

extension StatusCode {
    /// The exit status of a command whose call ended so.
    package var exitStatus: CommandStatus {
        switch self {
        case .ok: .ok
        case .cancelled: .interrupted
        case .invalidArgument, .outOfRange: .badData
        // What the command line names (a model, say) is not there.
        case .notFound, .alreadyExists: .usage
        case .permissionDenied, .unauthenticated: .refused
        case .deadlineExceeded, .resourceExhausted, .aborted: .tryAgain
        case .unavailable: .unavailable
        case .unknown, .failedPrecondition, .unimplemented, .internal, .dataLoss: .software
        }
    }
}
