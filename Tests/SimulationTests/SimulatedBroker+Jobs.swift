import SinewCore

/// The part of a broker process that serves jobs: its store's thread, and requests that wait for it.
extension Simulation {
    func take(_ ask: Packet.JobAsk, _ number: UInt64, of submitter: Int) {
        guard let broker else { return }
        let request = JobRequestID(rawValue: broker.nextRequest)
        broker.nextRequest += 1
        broker.requests[request] = (submitter, number, ask)
        let tenant = submitters[submitter].tenant
        let client = ClientID(rawValue: 1_000 + UInt64(submitter))
        switch ask {
        case .submit(let submission): feedBroker(.jobs(.submitted(request, tenant, submission)))
        case .append(let job, let first, let requests):
            let blocks = requests.enumerated().map { place, request in
                JobBlock(
                    index: first + place, items: request.items, payloadBytes: 100, labelBytes: 0,
                    hash: ContentHash(words: [request.tag, 0, 0, 0]))
            }
            feedBroker(.jobs(.appended(request, tenant, job, blocks)))
        case .seal(let job, let tasks): feedBroker(.jobs(.sealed(request, tenant, job, tasks: tasks)))
        case .cancel(let job): feedBroker(.jobs(.cancelled(request, tenant, job)))
        case .replay(let job): feedBroker(.jobs(.replayed(request, tenant, job, indexes: [])))
        case .status(let job): feedBroker(.jobs(.statusAsked(request, by: client, tenant, job, wait: .zero)))
        case .results(let job, let cursor, let countMax, let wait):
            let query = JobResultsQuery(job: job, cursor: cursor, countMax: countMax, wait: wait)
            feedBroker(.jobs(.resultsAsked(request, by: client, tenant, query)))
        }
    }

    func perform(_ action: JobStateMachine.Action) {
        if broker?.hasStopped == true { fail("a stopped broker acts: \(action)") }
        switch action {
        case .write(let operation, let bytes):
            let write = write(operation, bytes)
            broker?.writing.append(write)
        case .commit(let ticket):
            let group = broker?.writing ?? []
            broker?.writing = []
            give(.commit(ticket, group))
        case .drop(let ticket): broker?.kept[ticket] = nil
        case .reply(let request, let reply): answer(request, .reply(reply))
        case .readResults(let request, let read): give(.read(request, read))
        case .load(let task): give(.load(task))
        case .reopen:
            broker?.diskWork = [.open]
            broker?.kept = [:]
            broker?.writing = []
            broker?.opening += 1
            broker?.isDiskBusy = false
            for request in (broker?.requests ?? [:]).keys.sorted() {
                // Only reads of the store are left; whoever asked asks again.
                answer(request, .reply(.refused(.storeUnavailable("opened anew", retryAfter: .milliseconds(100)))))
            }
            startDisk()
        case .offer, .withdraw, .leasesReserved: fail("the driver is told \(action)")
        }
    }

    private func write(_ operation: JobStoreOperation, _ bytes: JobBytes) -> SimulatedDisk.Write {
        var write = SimulatedDisk.Write(operation: operation)
        switch bytes {
        case .none: break
        case .block(let request, let place):
            guard case .append(_, _, let requests)? = broker?.requests[request]?.ask, place < requests.count else {
                fail("a block is written whose request is not kept")
                break
            }
            write.request = requests[place]
        case .result:
            guard let result = resultInHand else {
                fail("a result is written that is not in hand")
                break
            }
            write.result = result.tag
            checkResult(operation, result.lease)
        case .failure(let failure): write.result = 1_000_000 + UInt64(failure.status)
        case .kept(let ticket):
            guard let old = broker?.kept.removeValue(forKey: ticket)?.first else {
                fail("bytes are written again that were not kept")
                break
            }
            write.result = old.result
        }
        return write
    }

    /// The task that ends is the one that this lease is of.
    private func checkResult(_ operation: JobStoreOperation, _ lease: LeaseToken) {
        guard case .endTask(let id, _) = operation, let broker else { return fail("a result goes with \(operation)") }
        for task in broker.held.keys.sorted() where broker.held[task]?.job == id {
            return check(lease, isLeaseOf: task)
        }
        fail("the result of a task is stored that is not in the dispatcher")
    }

    func answer(_ request: JobRequestID, _ answer: Packet.JobAnswer) {
        guard let kept = broker?.requests.removeValue(forKey: request) else {
            return fail("request \(request.rawValue) is answered twice")
        }
        noteAcknowledged(kept.ask, answer)
        transmit(.told(kept.number, answer), from: .broker, to: .submitter(kept.submitter))
    }

    // MARK: The store's thread

    private func give(_ work: SimulatedBroker.DiskWork) {
        broker?.diskWork.append(work)
        startDisk()
    }

    func startDisk() {
        guard let broker, !broker.isDiskBusy, !broker.diskWork.isEmpty else { return }
        self.broker?.isDiskBusy = true
        let time = chance(3) ? randomDuration(5...300) : randomDuration(0...4)
        schedule.add(.diskDone(opening: broker.incarnation << 32 | broker.opening), at: now + time)
    }

    func finishDiskWork(opening: UInt64) {
        guard let known = broker, opening == known.incarnation << 32 | known.opening, !known.diskWork.isEmpty else {
            return
        }
        broker?.isDiskBusy = false
        let work = known.diskWork[0]
        broker?.diskWork.removeFirst()
        switch work {
        case .open: open()
        case .commit(let ticket, let group): commit(ticket, group)
        case .load(let task):
            guard let found = disk.task(task), let request = found.request, !found.isPayloadDamaged,
                !found.isRecordDamaged
            else {
                feedBroker(.jobs(.loadFailed(task, .damaged(task, "checksum"))))
                break
            }
            requestInHand = .init(request: request, job: task)
            feedBroker(.jobs(.loaded(task)))
            requestInHand = nil
        case .read(let request, let read): finish(request, read)
        }
        startDisk()
    }

    private func open() {
        for id in disk.ids {
            guard let entry = disk[id] else { continue }
            if entry.isDamaged {
                // It is left out, and whoever submitted it begins anew.
                acknowledged[id] = nil
                continue
            }
            let indexes = entry.tasks.keys.sorted()
            let damaged = indexes.filter { entry.tasks[$0]?.isRecordDamaged == true }
            let tasks = indexes.compactMap { index in
                entry.tasks[index].flatMap { $0.isRecordDamaged ? nil : $0.record }
            }
            feedBroker(.jobs(.restored(entry.record, tasks: tasks, damaged: damaged)))
        }
        feedBroker(.jobs(.opened(firstFreeLease: disk.firstFreeLease)))
    }

    private func commit(_ ticket: CommitTicket, _ group: [SimulatedDisk.Write]) {
        if now < diskFullUntil {
            broker?.kept[ticket] = group
            return feedBroker(.jobs(.commitFailed(ticket, .full("no space left on device"))))
        }
        if diskBreaks {
            diskBreaks = false
            // A failed sync says nothing about what is on disk.
            if Bool.random(using: &random) { apply(group) }
            return feedBroker(.jobs(.commitFailed(ticket, .broken("input/output error"))))
        }
        if disk.meetsDamage(group) {
            return feedBroker(.jobs(.commitFailed(ticket, .broken("no sound record of the job"))))
        }
        apply(group)
        feedBroker(.jobs(.committed(ticket)))
    }

    func apply(_ group: [SimulatedDisk.Write]) {
        for write in group {
            guard case .removeJob(let id) = write.operation, let job = disk[id]?.record else { continue }
            // The clock may have been set back since the broker looked at it.
            let due = (job.ended ?? wall) + .microseconds(job.retentionMicroseconds)
            if job.ended == nil || due > wall + .seconds(4) { fail("a job is removed before its time") }
            acknowledged[id] = nil
        }
        if let violated = disk.apply(group) { fail(violated) }
    }

    private func finish(_ request: JobRequestID, _ read: JobResultsRead) {
        let found = disk.results(read)
        if !found.damaged.isEmpty {
            answer(
                request, .reply(.refused(.storeUnavailable("a record is damaged", retryAfter: .milliseconds(100)))))
            for index in found.damaged { feedBroker(.jobs(.resultDamaged(.init(job: read.job, index: index)))) }
            return
        }
        var results = found.results
        if results.last?.sequence ?? .max >= read.through {
            for task in read.givenUp.prefix(read.countMax - results.count) {
                results.append(
                    .init(
                        index: task.index, outcome: .cancelled, status: JobTaskOutcome.givenUpStatus,
                        sequence: task.end?.sequence ?? 0, bytes: 0))
            }
        }
        let next = results.last?.sequence ?? Swift.max(read.cursor, read.through)
        answer(request, .results(results, next: next, isComplete: read.jobHasEnded && next >= read.last))
    }

    /// The process is gone. Of what it gave to the disk and was not told of, the first few groups may be there.
    func crashBroker() {
        crashAfterActions = nil
        guard let broker else { return }
        var groups: [[SimulatedDisk.Write]] = []
        for work in broker.diskWork {
            switch work {
            case .commit(_, let group): groups.append(group)
            case .open, .load, .read: break
            }
        }
        if now >= diskFullUntil {
            for group in groups.prefix(Int.random(in: 0...groups.count, using: &random)) { apply(group) }
        }
        hedgesBefore += broker.machine.counts.leasesHedged
        self.broker = nil
        requestInHand = nil
        schedule.add(.startBroker, at: now + randomDuration(50...1_500))
    }
}
