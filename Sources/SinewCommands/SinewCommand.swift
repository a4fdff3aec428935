package import ArgumentParser

/// `sinew`: every command below it does one thing and returns.
package struct SinewCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "sinew",
        abstract: "Turns observed joints into SMPL body poses, through a broker and its workers or in this process.",
        discussion: """
            Data goes to standard output, talk to standard error; --json makes the data machine-readable.
            Exit status: 0 done, 3 some items failed, 64 usage, 65 bad data, 66 no such input, 69 no broker or worker, \
            70 a defect of sinew, 75 try again later, 77 refused, 130 interrupted.
            """,
        version: sinewVersion,
        subcommands: [
            DemoCommand.self, SolveCommand.self,
            ViewCommand.self,
            EffectorsCommand.self, UpCommand.self, BrokerCommand.self,
            WorkerCommand.self,
            StatusCommand.self, TopCommand.self,
            SubmitCommand.self, WaitCommand.self, GetCommand.self, JobsCommand.self, CancelCommand.self,
            DeadCommand.self, TriageCommand.self, CorrectCommand.self,
            EvalCommand.self,
            ModelCommand.self,
            BodyCommand.self,
            ShapeCommand.self,
            RetargetCommand.self,
            ConvertCommand.self,
            SkeletonCommand.self,
            BenchCommand.self,
            KeysCommand.self,
            DoctorCommand.self,
        ])

    package init() {}
}
