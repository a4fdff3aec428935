internal import ArgumentParser
internal import Glibc
internal import SinewBody
internal import SinewClient
internal import SinewKernels
internal import SinewModels

/// `sinew doctor`: looks at everything a solve needs and says what to do about what is missing.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check this machine, the bundled bodies and models, and the broker.")

    @OptionGroup var client: ClientOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let findings = await checkMachine() + checkBodies() + checkModels() + checkBroker()
        if output.json {
            try JSONOutput.print(findings)
        } else {
            for finding in findings { StandardStreams.data(finding.line(style: .data)) }
        }
        let failed = findings.filter { $0.verdict == .bad }.count
        if failed > 0 {
            throw CommandFailure(
                .unavailable, "\(failed) of \(findings.count) checks failed; each line above says what to do")
        }
    }

    private func checkMachine() -> [DoctorFinding] {
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let allowance = ProcessorAllowance.current
        let isas = ISA.available.map(\.rawValue).joined(separator: ", ")
        return [
            DoctorFinding(
                .good, "processor", "\(cores) cores; instruction sets \(isas); using \(ISA.selected.rawValue)"),
            DoctorFinding(.good, "threads", Self.threads(allowance)),
        ]
    }

    /// What the operating system and the container leave, and what follows from it.
    static func threads(_ allowance: ProcessorAllowance) -> String {
        let quota = allowance.quota.map { "a quota of \(fixed($0, 2)) processors" } ?? "no quota"
        return "may run on processors \(PinnedProcessors.text(of: allowance.processors)), \(quota); "
            + "\(allowance.threadCount) compute threads by default"
    }

    /// Loads every model that ships with the command, which checks its files against their hashes.
    private func checkModels() -> [DoctorFinding] {
        let repository = ModelRepository()
        do throws(ModelError) {
            var findings: [DoctorFinding] = []
            for model in try repository.list() {
                let name = "\(model.name)/\(model.version)"
                do throws(ModelError) {
                    _ = try repository.load(name)
                    let weights =
                        model.weightsSHA256.isEmpty ? "no weights" : "weights \(model.weightsSHA256.prefix(12))"
                    findings.append(DoctorFinding(.good, "model \(name)", "\(model.architecture.name), \(weights)"))
                } catch {
                    findings.append(DoctorFinding(.bad, "model \(name)", error.message))
                }
            }
            return findings
        } catch {
            return [DoctorFinding(.bad, "models", error.message)]
        }
    }

    private func checkBroker() async -> [DoctorFinding] {
        do {
            let status = try await client.withClient { try await $0.fleetStatus(deadline: .seconds(5)) }
            let serving = status.workers.filter { $0.state == .serving }.count
            let finding = "version \(status.broker.version) at \(client.broker), \(serving) workers serve"
            guard serving > 0 else {
                return [DoctorFinding(.note, "broker", finding + "; start one: sinew worker")]
            }
            return [DoctorFinding(.good, "broker", finding)]
        } catch {
            // No broker is no fault: everything works without one, with --local.
            let message = CommandFailure(explaining: error)?.message ?? "\(error)"
            return [DoctorFinding(.note, "broker", message + "; or solve without one: sinew solve --local")]
        }
    }

    private func checkBodies() -> [DoctorFinding] {
        Gender.allCases.map { gender in
            do throws(BodyError) {
                let body = try BodyModel.bundled(gender)
                return DoctorFinding(.good, "body \(body.name)/\(gender.rawValue)", "\(body.vertexCount) vertices")
            } catch {
                return DoctorFinding(.bad, "body \(gender.rawValue)", error.message)
            }
        }
    }
}

/// One line of the doctor's report.
struct DoctorFinding: Encodable, Equatable {
    enum Verdict: String, Encodable {
        case good
        /// Works, but not for everything.
        case note
        case bad
    }
    let verdict: Verdict
    let subject: String
    let finding: String

    init(_ verdict: Verdict, _ subject: String, _ finding: String) {
        self.verdict = verdict
        self.subject = subject
        self.finding = finding
    }

    func line(style: TextStyle) -> String {
        let mark =
            switch verdict {
            case .good: style.green("ok  ")
            case .note: style.yellow("note")
            case .bad: style.red("BAD ")
            }
        return "\(mark)  \(subject): \(finding)"
    }
}
