internal import Glibc

/// How many files, connections among them, this process may have open.
enum OpenFileLimit {
    /// Raises the limit to what the system allows without asking: shells set a low one for programs that still use `select`, and a broker
    /// has a connection for each client, half-open ones included.
    static func raise() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
            limit.rlim_cur < limit.rlim_max
        else { return }
        limit.rlim_cur = limit.rlim_max
        // A refusal leaves the limit as it is, and the broker with fewer connections.
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
