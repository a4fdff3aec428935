// The C library as Debian installs it; Swift sees it only through the one target that owns it.
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

// glibc declares this one under _GNU_SOURCE only, which a module map cannot switch on for <pthread.h>.
#include <pthread.h>
int pthread_setname_np(pthread_t thread, const char *name);
