#ifndef FAULTY_STORAGE_H
#define FAULTY_STORAGE_H

/// What the storage does to the operation that was chosen, and to all after it until it is disarmed.
enum faulty_storage_kind {
    FAULTY_STORAGE_DISK_FULL = 1,    ///< writes report ENOSPC (SQLITE_FULL)
    FAULTY_STORAGE_WRITE_ERROR = 2,  ///< writes report EIO (SQLITE_IOERR_WRITE)
    FAULTY_STORAGE_SYNC_ERROR = 3,   ///< syncs report EIO (SQLITE_IOERR_FSYNC)
    FAULTY_STORAGE_READ_ERROR = 4,   ///< reads report EIO (SQLITE_IOERR_READ)
};

/// Makes SQLite open every database through the storage; it fails nothing until it is armed. Returns 0, or an error of SQLite.
int faulty_storage_install(void);

/// Fails files whose path begins with `prefix`, from the `countdown`-th operation of the kind on (1 is the next one).
/// One plan at a time; tests that use it run one after another.
void faulty_storage_arm(const char *prefix, enum faulty_storage_kind kind, long countdown);

/// Everything works again. Returns how many operations failed since it was armed.
long faulty_storage_disarm(void);

/// Runs statements on a database that nobody has open. Returns 0, or an error of SQLite.
int faulty_storage_run(const char *path, const char *sql);

#endif
