// The C library as Debian installs it; Swift sees it only through the one target that owns it.
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>
