extension JobStateMachine {
    /// What a driver sends to a worker with the payload of a task; nil when there is no such task.
    package func call(of task: JobTaskID) -> (record: JobRecord, items: Int)? {
        guard let slot = slotOfJob[task.job], jobs[slot].state(task.index).isPresent else { return nil }
        return (jobs[slot].record, Int(jobs[slot].tasks[task.index].items))
    }
}
