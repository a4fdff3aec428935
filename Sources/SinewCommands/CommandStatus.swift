/// The exit statuses of `sinew`, after sysexits where it has one.
package enum CommandStatus: Int32, Sendable {
    /// All of it worked.
    case ok = 0
    /// The output is complete and written, but some items in it failed; each is listed.
    case someItemsFailed = 3
    /// The command line itself is wrong (EX_USAGE).
    case usage = 64
    /// An input's content is wrong (EX_DATAERR).
    case badData = 65
    /// An input does not exist or cannot be read (EX_NOINPUT).
    case noInput = 66
    /// No broker answers, or no worker that could do it (EX_UNAVAILABLE).
    case unavailable = 69
    /// A defect of ours (EX_SOFTWARE).
    case software = 70
    /// Busy or out of time; the same command may work later (EX_TEMPFAIL).
    case tryAgain = 75
    /// Not allowed (EX_NOPERM).
    case refused = 77
    /// Stopped by Ctrl-C.
    case interrupted = 130
}
