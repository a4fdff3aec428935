/// Every family of metrics that Sinew tells: name, kind, meaning, labels.
///
/// Labels are bounded: workers and models by the broker's limits, statuses by gRPC, the other ones by the words below.
package enum MetricCatalogue {
    // MARK: The broker's process.

    package static let build = MetricFamily(
        "sinew_build_info", .gauge, "The release of Sinew that the broker runs; always 1.", labels: ["version"])
    package static let processorTime = MetricFamily(
        "process_cpu_seconds_total", .counter, "Processor time of the process, user and system.")
    package static let residentMemory = MetricFamily(
        "process_resident_memory_bytes", .gauge, "Resident memory of the process.")
    package static let startTime = MetricFamily(
        "process_start_time_seconds", .gauge, "When the broker started, seconds since 1970.")
    package static let draining = MetricFamily(
        "sinew_broker_draining", .gauge, "1 when the broker takes no new calls because it is about to stop.")
    package static let leftOut = MetricFamily(
        "sinew_exposition_left_out_pairs", .gauge,
        "Pairs of a worker and a model that are not told by worker because there are too many.")

    // MARK: Calls and tasks at the broker.

    package static let requests = MetricFamily(
        "sinew_requests_total", .counter,
        "Calls and attempts of job tasks by how they ended; version is empty where the newest one was asked for.",
        labels: ["model", "version", "status"])
    package static let requestItems = MetricFamily(
        "sinew_request_items_total", .counter, "People in them.", labels: ["model", "version", "status"])
    package static let requestQueueTime = MetricFamily(
        "sinew_request_queue_seconds", .histogram,
        "From admission by the broker to the lease under which the answer came.", labels: ["model", "version"])
    package static let requestTime = MetricFamily(
        "sinew_request_seconds", .histogram, "From admission by the broker to the answer.",
        labels: ["model", "version"])
    package static let answeredRequests = MetricFamily(
        "sinew_answered_requests_total", .counter, "Calls and tasks answered with a result.")
    package static let answeredItems = MetricFamily(
        "sinew_answered_items_total", .counter, "People in calls and tasks that were answered with a result.")
    package static let failedRequests = MetricFamily(
        "sinew_failed_requests_total", .counter, "Requests of any kind answered with a status other than OK.")
    package static let cancelledRequests = MetricFamily(
        "sinew_cancelled_requests_total", .counter, "Calls given up by their clients, and tasks taken back.")
    package static let queuedRequests = MetricFamily(
        "sinew_queued_requests", .gauge, "Calls and tasks in the dispatcher that wait for a worker.")
    package static let queuedItems = MetricFamily("sinew_queued_items", .gauge, "People in them.")
    package static let runningRequests = MetricFamily(
        "sinew_running_requests", .gauge, "Calls and tasks that a worker has.")
    package static let runningItems = MetricFamily("sinew_running_items", .gauge, "People in them.")
    package static let oldestWaiting = MetricFamily(
        "sinew_oldest_waiting_seconds", .gauge,
        "How long the oldest waiting call or task, or the tenant served longest ago, has been waiting; 0: nothing waits."
    )
    package static let drainEstimated = MetricFamily(
        "sinew_drain_estimated_seconds", .gauge,
        "When the workers would be done with all they have and all that waits in the dispatcher, at the rate they showed."
    )
    package static let clients = MetricFamily(
        "sinew_clients", .gauge, "Clients that have a call in the broker.")

    // MARK: Leases and credits.

    package static let leases = MetricFamily(
        "sinew_leases_total", .counter, "Times that a call or task was given to a worker.")
    package static let leaseExpiries = MetricFamily(
        "sinew_lease_expiries_total", .counter,
        "Leases that ended without an answer: their worker died or did not know of them.")
    package static let redeliveries = MetricFamily(
        "sinew_redeliveries_total", .counter, "Times that a call or task was given to a worker again.")
    package static let requeues = MetricFamily(
        "sinew_requeues_total", .counter, "Calls and tasks put back in line because a worker left or lost them.")
    package static let duplicatesDropped = MetricFamily(
        "sinew_duplicates_dropped_total", .counter, "Answers dropped because their lease was not valid any more.")
    package static let workersLost = MetricFamily(
        "sinew_workers_lost_total", .counter, "Workers that vanished without a goodbye.")
    package static let credits = MetricFamily(
        "sinew_credits", .gauge, "People that the serving workers want to hold at once.")
    package static let creditsInUse = MetricFamily("sinew_credits_in_use", .gauge, "People that they hold.")
    package static let workers = MetricFamily(
        "sinew_workers", .gauge, "Connected workers by state.", labels: ["state"])

    // MARK: Jobs.

    package static let jobs = MetricFamily(
        "sinew_jobs", .gauge, "Jobs that the broker keeps, by state.", labels: ["state"])
    package static let tasks = MetricFamily(
        "sinew_tasks", .gauge, "Tasks of the jobs that the broker keeps, by state.", labels: ["state"])
    package static let jobItems = MetricFamily(
        "sinew_job_items", .gauge, "People in the jobs that the broker keeps.")
    package static let jobItemsDone = MetricFamily(
        "sinew_job_items_done", .gauge, "People in the solved tasks of the jobs that the broker keeps.")
    package static let taskEnds = MetricFamily(
        "sinew_task_ends_total", .counter, "Tasks that ended: done, failed, or dead after too many attempts.",
        labels: ["reason"])
    package static let taskRetries = MetricFamily(
        "sinew_task_retries_total", .counter, "Attempts of tasks that failed and were repeated.")
    package static let oldestJob = MetricFamily(
        "sinew_oldest_job_seconds", .gauge, "Age of the oldest job that has waiting tasks; 0: there is none.")
    package static let storeBytes = MetricFamily(
        "sinew_store_bytes", .gauge, "Payloads and results of jobs on disk.")
    package static let storeBreakdowns = MetricFamily(
        "sinew_store_breakdowns_total", .counter, "Times that the job store failed and was opened anew.")

    // MARK: What was refused.

    package static let malformedMessages = MetricFamily(
        "sinew_malformed_messages_total", .counter, "Messages that the broker could not read.")
    package static let refusals = MetricFamily(
        "sinew_refusals_total", .counter,
        "handshake: connections refused for their key; key: messages of a sender whose key was revoked; rate: messages that came too fast.",
        labels: ["reason"])
    package static let repliesDropped = MetricFamily(
        "sinew_replies_dropped_total", .counter, "Replies dropped because their client did not read.")

    // MARK: By model, over all workers since the broker started.

    private static let model = ["model", "version"]
    package static let modelRequests = MetricFamily(
        "sinew_model_requests_total", .counter, "Requests that workers answered, by result: ok or failed.",
        labels: model + ["result"])
    package static let modelItems = MetricFamily(
        "sinew_model_items_total", .counter, "People by result: solved (ok) or not (failed).",
        labels: model + ["result"])
    package static let modelBatches = MetricFamily(
        "sinew_model_batches_total", .counter, "Batches computed (executions).", labels: model)
    package static let modelReleases = MetricFamily(
        "sinew_model_batch_releases_total", .counter,
        "Batches by why they were started: full, the best size was reached; idle, a thread was free.",
        labels: model + ["reason"])
    package static let modelBatchItems = MetricFamily(
        "sinew_model_batch_items", .histogram, "People in a batch.", labels: model)
    package static let modelQueueTime = MetricFamily(
        "sinew_model_queue_seconds", .histogram, "Of a request: from its arrival in the worker to its batch.",
        labels: model)
    package static let modelComputeTime = MetricFamily(
        "sinew_model_compute_seconds", .histogram, "Of a request: its batch's time on the compute thread.",
        labels: model)
    package static let modelTime = MetricFamily(
        "sinew_model_seconds", .histogram, "Of a request: from its arrival in the worker to its answer.",
        labels: model)
    package static let modelQueuedItems = MetricFamily(
        "sinew_model_queued_items", .gauge, "People that wait in the workers.", labels: model)
    package static let modelBusy = MetricFamily(
        "sinew_model_busy_seconds_total", .counter, "Time of compute threads on its batches, summed over threads.",
        labels: model)
    package static let modelExpected = MetricFamily(
        "sinew_model_expected_seconds_total", .counter,
        "What the measured batch tables promise for the same batches; divided by busy: batch efficiency.",
        labels: model)
    package static let modelFlop = MetricFamily(
        "sinew_model_flop_total", .counter, "Floating-point operations of the network.", labels: model)
    package static let modelLoad = MetricFamily(
        "sinew_model_load_seconds", .gauge, "The longest load among the workers of now.", labels: model)

    // MARK: By worker.

    private static let worker = ["worker"]
    package static let workerInfo = MetricFamily(
        "sinew_worker_info", .gauge, "Where and what a worker is; always 1.",
        labels: worker + ["host", "isa", "version"])
    package static let workerDraining = MetricFamily(
        "sinew_worker_draining", .gauge, "1 when the worker takes nothing new.", labels: worker)
    package static let workerSilence = MetricFamily(
        "sinew_worker_silence_seconds", .gauge, "Time since the broker heard the worker.", labels: worker)
    package static let workerUptime = MetricFamily(
        "sinew_worker_uptime_seconds", .gauge, "Time since the worker started.", labels: worker)
    package static let workerThreads = MetricFamily(
        "sinew_worker_compute_threads", .gauge, "Threads that solve.", labels: worker)
    package static let workerCredits = MetricFamily(
        "sinew_worker_credits", .gauge, "People the worker wants to hold at once.", labels: worker)
    package static let workerCreditsInUse = MetricFamily(
        "sinew_worker_credits_in_use", .gauge, "People the worker holds, as the broker sees it.", labels: worker)
    package static let workerQueuedItems = MetricFamily(
        "sinew_worker_queued_items", .gauge, "People that wait in the worker.", labels: worker)
    package static let workerRunningItems = MetricFamily(
        "sinew_worker_running_items", .gauge, "People being solved.", labels: worker)
    package static let workerItems = MetricFamily(
        "sinew_worker_items_total", .counter, "People in the worker's batches.", labels: worker)
    package static let workerBatches = MetricFamily(
        "sinew_worker_batches_total", .counter, "Batches computed.", labels: worker)
    package static let workerBusy = MetricFamily(
        "sinew_worker_busy_seconds_total", .counter, "Time of its compute threads at work, summed over them.",
        labels: worker)
    package static let workerProcessorTime = MetricFamily(
        "sinew_worker_cpu_seconds_total", .counter, "Processor time of the worker's process.", labels: worker)
    package static let workerMemory = MetricFamily(
        "sinew_worker_resident_memory_bytes", .gauge, "Resident memory of the worker's process.", labels: worker)
    package static let workerMalformed = MetricFamily(
        "sinew_worker_malformed_messages_total", .counter, "Messages of the broker that it could not read.",
        labels: worker)
    package static let workerTime = MetricFamily(
        "sinew_worker_request_seconds", .histogram, "Of a request: from its arrival in the worker to its answer.",
        labels: worker)

    // MARK: By worker and model.

    private static let workerModel = ["worker", "model", "version"]
    package static let workerModelRequests = MetricFamily(
        "sinew_worker_model_requests_total", .counter, "Requests answered, by result: ok or failed.",
        labels: workerModel + ["result"])
    package static let workerModelItems = MetricFamily(
        "sinew_worker_model_items_total", .counter, "People by result: solved (ok) or not (failed).",
        labels: workerModel + ["result"])
    package static let workerModelBatches = MetricFamily(
        "sinew_worker_model_batches_total", .counter, "Batches computed.", labels: workerModel)
    package static let workerModelReleases = MetricFamily(
        "sinew_worker_model_batch_releases_total", .counter, "Batches by why they were started: full or idle.",
        labels: workerModel + ["reason"])
    package static let workerModelQueuedItems = MetricFamily(
        "sinew_worker_model_queued_items", .gauge, "People that wait in the worker.", labels: workerModel)
    package static let workerModelBusy = MetricFamily(
        "sinew_worker_model_busy_seconds_total", .counter, "Time of compute threads on its batches.",
        labels: workerModel)
    package static let workerModelExpected = MetricFamily(
        "sinew_worker_model_expected_seconds_total", .counter,
        "What the measured batch table promises for the same batches.", labels: workerModel)
    package static let workerModelFlop = MetricFamily(
        "sinew_worker_model_flop_total", .counter, "Floating-point operations of the network.", labels: workerModel)
    package static let workerModelLoad = MetricFamily(
        "sinew_worker_model_load_seconds", .gauge, "How long the model took to load.", labels: workerModel)
    package static let workerModelBestBatch = MetricFamily(
        "sinew_worker_model_best_batch_items", .gauge, "The batch size whose measured time per person is best.",
        labels: workerModel)

    // MARK: Counted in the broker's and the worker's threads.

    package static let brokerTurns = MetricFamily(
        "sinew_broker_wakeups_total", .counter, "Times that the broker's thread woke up.")
    package static let workerTurns = MetricFamily(
        "sinew_worker_wakeups_total", .counter, "Times that the worker's socket thread woke up.")
    package static let storeCommitTime = MetricFamily(
        "sinew_store_commit_seconds", .histogram, "Of a transaction of the job store, its sync to disk included.")
    package static let storeGroups = MetricFamily(
        "sinew_store_groups_total", .counter, "Groups of writes that were committed; several share a transaction.")
    package static let storeReads = MetricFamily(
        "sinew_store_reads_total", .counter, "Reads from the job store: of payloads and of pages of results.")
    package static let droppedSeries = MetricFamily(
        "sinew_metric_series_dropped_total", .counter, "Series that were not kept because there are too many.")

    /// Those that are counted through swift-metrics, by their labels there.
    package static let counted = [brokerTurns, workerTurns, storeCommitTime, storeGroups, storeReads]

    /// Those that a scrape of the broker tells from its snapshot.
    package static let ofFleet = [
        build, processorTime, residentMemory, startTime, draining, leftOut, requests, requestItems, requestQueueTime,
        requestTime, answeredRequests, answeredItems, failedRequests, cancelledRequests, queuedRequests, queuedItems,
        runningRequests, runningItems, oldestWaiting, drainEstimated, clients, leases, leaseExpiries, redeliveries,
        requeues, duplicatesDropped, workersLost, credits, creditsInUse, workers, jobs, tasks, jobItems, jobItemsDone,
        taskEnds, taskRetries, oldestJob, storeBytes, storeBreakdowns, malformedMessages, refusals, repliesDropped,
        modelRequests, modelItems, modelBatches, modelReleases, modelBatchItems, modelQueueTime, modelComputeTime,
        modelTime, modelQueuedItems, modelBusy, modelExpected, modelFlop, modelLoad, workerInfo, workerDraining,
        workerSilence, workerUptime, workerThreads, workerCredits, workerCreditsInUse, workerQueuedItems,
        workerRunningItems, workerItems, workerBatches, workerBusy, workerProcessorTime, workerMemory,
        workerMalformed, workerTime, workerModelRequests, workerModelItems, workerModelBatches, workerModelReleases,
        workerModelQueuedItems, workerModelBusy, workerModelExpected, workerModelFlop, workerModelLoad,
        workerModelBestBatch,
    ]
}
