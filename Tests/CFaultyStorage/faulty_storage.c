// A SQLite VFS over the system's own that fails reads, writes or syncs on demand, at an exact operation.
#include "include/faulty_storage.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct faulty_file {
    sqlite3_file base;
    char *path;
    sqlite3_file *real;
};

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static char plan_prefix[512];
static enum faulty_storage_kind plan_kind;
static long plan_countdown; // 0: disarmed
static long plan_failures;

static int fails(const struct faulty_file *file, enum faulty_storage_kind kind)
{
    int failing = 0;
    pthread_mutex_lock(&guard);
    if (plan_countdown > 0 && plan_kind == kind && file->path
        && strncmp(file->path, plan_prefix, strlen(plan_prefix)) == 0) {
        if (plan_countdown > 1) {
            plan_countdown--;
        } else {
            failing = 1;
            plan_failures++;
        }
    }
    pthread_mutex_unlock(&guard);
    return failing;
}

static sqlite3_file *real_of(sqlite3_file *file) { return ((struct faulty_file *)file)->real; }

static int faulty_close(sqlite3_file *file)
{
    struct faulty_file *own = (struct faulty_file *)file;
    int result = own->real->pMethods ? own->real->pMethods->xClose(own->real) : SQLITE_OK;
    free(own->path);
    own->path = NULL;
    return result;
}

static int faulty_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset)
{
    if (fails((struct faulty_file *)file, FAULTY_STORAGE_READ_ERROR)) return SQLITE_IOERR_READ;
    return real_of(file)->pMethods->xRead(real_of(file), bytes, count, offset);
}

static int faulty_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
    if (fails((struct faulty_file *)file, FAULTY_STORAGE_DISK_FULL)) return SQLITE_FULL;
    if (fails((struct faulty_file *)file, FAULTY_STORAGE_WRITE_ERROR)) return SQLITE_IOERR_WRITE;
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, count, offset);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    if (fails((struct faulty_file *)file, FAULTY_STORAGE_SYNC_ERROR)) return SQLITE_IOERR_FSYNC;
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}
static int faulty_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}
static int faulty_lock(sqlite3_file *file, int level) { return real_of(file)->pMethods->xLock(real_of(file), level); }
static int faulty_unlock(sqlite3_file *file, int level) { return real_of(file)->pMethods->xUnlock(real_of(file), level); }
static int faulty_reserved(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}
static int faulty_control(sqlite3_file *file, int op, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}
static int faulty_sector(sqlite3_file *file) { return real_of(file)->pMethods->xSectorSize(real_of(file)); }
static int faulty_traits(sqlite3_file *file) { return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file)); }

// Version 1: no shared memory and no mapping, which a database in exclusive mode does not need.
static const sqlite3_io_methods methods = {
    1, faulty_close, faulty_read, faulty_write, faulty_truncate, faulty_sync, faulty_size, faulty_lock, faulty_unlock,
    faulty_reserved, faulty_control, faulty_sector, faulty_traits,
    NULL, NULL, NULL, NULL, NULL, NULL,
};

static sqlite3_vfs faulty_vfs;
static sqlite3_vfs *real_vfs;

static int faulty_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    struct faulty_file *own = (struct faulty_file *)file;
    own->real = (sqlite3_file *)(own + 1);
    int result = real_vfs->xOpen(real_vfs, path, own->real, flags, out);
    own->base.pMethods = NULL;
    if (result != SQLITE_OK) return result;
    own->path = path ? strdup(path) : NULL;
    own->base.pMethods = &methods;
    return SQLITE_OK;
}

int faulty_storage_install(void)
{
    int result = SQLITE_OK;
    pthread_mutex_lock(&guard);
    if (!real_vfs) {
        sqlite3_initialize();
        real_vfs = sqlite3_vfs_find(NULL);
        faulty_vfs = *real_vfs;
        faulty_vfs.pNext = NULL;
        faulty_vfs.zName = "faulty";
        faulty_vfs.szOsFile = (int)sizeof(struct faulty_file) + real_vfs->szOsFile;
        faulty_vfs.xOpen = faulty_open;
        result = sqlite3_vfs_register(&faulty_vfs, 1);
    }
    pthread_mutex_unlock(&guard);
    return result;
}

void faulty_storage_arm(const char *prefix, enum faulty_storage_kind kind, long countdown)
{
    pthread_mutex_lock(&guard);
    strncpy(plan_prefix, prefix, sizeof plan_prefix - 1);
    plan_kind = kind;
    plan_countdown = countdown;
    plan_failures = 0;
    pthread_mutex_unlock(&guard);
}

long faulty_storage_disarm(void)
{
    pthread_mutex_lock(&guard);
    plan_countdown = 0;
    long failures = plan_failures;
    pthread_mutex_unlock(&guard);
    return failures;
}

int faulty_storage_run(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    int result = sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL);
    // As the store does, so that no shared memory is asked of a storage that has none.
    if (result == SQLITE_OK) result = sqlite3_exec(database, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
    if (result == SQLITE_OK) result = sqlite3_exec(database, sql, NULL, NULL, NULL);
    int closed = sqlite3_close(database);
    return result == SQLITE_OK ? closed : result;
}
