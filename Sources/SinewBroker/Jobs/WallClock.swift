internal import Glibc
internal import SinewCore

/// The time of day, for what outlives the process. It may jump; whatever is measured in seconds uses the loop's own clock.
enum WallClock {
    static var now: WallTime {
        var time = timespec()
        // Fails only for a clock that does not exist.
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}
