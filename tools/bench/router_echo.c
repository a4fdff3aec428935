/* The bound of a broker on libzmq: two ROUTER sockets that forward and do nothing else, in plain C.
 *
 * usage: router_echo [--bytes 1024] [--messages 200000] [--window 1000] [--round-trips 2000]
 * build: cc -O2 -o router_echo router_echo.c -lzmq -lpthread
 *
 * One client (DEALER), one broker thread (ROUTER for clients, ROUTER for workers), one worker (DEALER), over TCP on loopback, each with a
 * thread and a context of its own, as processes would have. A message has a head of 64 bytes and a payload. Prints one line of JSON:
 * messages per second with `window` messages under way, and the time of a lone round trip, microseconds.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

enum { head_bytes = 64 };
static size_t payload_bytes = 1024;
static long messages = 200000, window = 1000, round_trips = 2000;
static char client_endpoint[256], worker_endpoint[256];

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void *open_socket(int type, void *context) {
    void *s = zmq_socket(context, type);
    int zero = 0, one = 1;
    zmq_setsockopt(s, ZMQ_SNDHWM, &zero, sizeof zero);
    zmq_setsockopt(s, ZMQ_RCVHWM, &zero, sizeof zero);
    zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof zero);
    if (type == ZMQ_ROUTER) zmq_setsockopt(s, ZMQ_ROUTER_MANDATORY, &one, sizeof one);
    return s;
}

/* Receives one message of up to four frames; returns how many, or -1 when none waits. */
static int receive(void *s, zmq_msg_t *frames, int flags) {
    int count = 0;
    do {
        zmq_msg_init(&frames[count]);
        if (zmq_msg_recv(&frames[count], s, count ? 0 : flags) < 0) return -1;
        count++;
    } while (zmq_msg_more(&frames[count - 1]) && count < 4);
    return count;
}

static void send_all(void *s, zmq_msg_t *frames, int count) {
    for (int i = 0; i < count; i++) zmq_msg_send(&frames[i], s, i + 1 < count ? ZMQ_SNDMORE : 0);
}

/* The routing id of the one peer on the other side is all a broker must know here. */
static void *broker(void *sockets) {
    void **both = sockets;
    unsigned char worker_id[256], client_id[256];
    size_t worker_id_bytes = 0, client_id_bytes = 0;
    zmq_msg_t frames[4], route;
    zmq_pollitem_t items[2] = {{both[1], 0, ZMQ_POLLIN, 0}, {both[0], 0, ZMQ_POLLIN, 0}};
    while (zmq_poll(items, 2, 2000) > 0) {
        for (int side = 0; side < 2; side++) {
            if (!items[side].revents) continue;
            void *from = items[side].socket, *to = items[1 - side].socket;
            int count;
            for (int turn = 0; turn < 1024 && (count = receive(from, frames, ZMQ_DONTWAIT)) > 0; turn++) {
                unsigned char *id = side == 0 ? worker_id : client_id;
                size_t *id_bytes = side == 0 ? &worker_id_bytes : &client_id_bytes;
                *id_bytes = zmq_msg_size(&frames[0]);
                memcpy(id, zmq_msg_data(&frames[0]), *id_bytes);
                zmq_msg_close(&frames[0]);
                if (count == 2) { /* a worker's hello */
                    zmq_msg_close(&frames[1]);
                    continue;
                }
                unsigned char *other = side == 0 ? client_id : worker_id;
                size_t other_bytes = side == 0 ? client_id_bytes : worker_id_bytes;
                zmq_msg_init_size(&route, other_bytes);
                memcpy(zmq_msg_data(&route), other, other_bytes);
                zmq_msg_send(&route, to, ZMQ_SNDMORE);
                send_all(to, frames + 1, count - 1);
            }
        }
    }
    return NULL;
}

static void *worker(void *unused) {
    (void)unused;
    void *context = zmq_ctx_new(), *s = open_socket(ZMQ_DEALER, context);
    zmq_connect(s, worker_endpoint);
    zmq_send(s, "hello", 5, 0);
    zmq_msg_t frames[4];
    for (long i = 0; i < messages + round_trips; i++) send_all(s, frames, receive(s, frames, 0));
    zmq_msg_t end;
    zmq_msg_init(&end);
    zmq_poll(NULL, 0, 200);
    zmq_close(s);
    zmq_ctx_term(context);
    return NULL;
}

static void send_one(void *s) {
    static unsigned char head[head_bytes];
    static unsigned char *payload;
    if (!payload) payload = calloc(1, payload_bytes);
    zmq_send(s, head, sizeof head, ZMQ_SNDMORE);
    zmq_send(s, payload, payload_bytes, 0);
}

static void take_one(void *s) {
    zmq_msg_t frames[4];
    int count = receive(s, frames, 0);
    for (int i = 0; i < count; i++) zmq_msg_close(&frames[i]);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        long value = atol(argv[i + 1]);
        if (!strcmp(argv[i], "--bytes")) payload_bytes = (size_t)value;
        else if (!strcmp(argv[i], "--messages")) messages = value;
        else if (!strcmp(argv[i], "--window")) window = value;
        else if (!strcmp(argv[i], "--round-trips")) round_trips = value;
        else return fprintf(stderr, "router_echo: unknown option %s\n", argv[i]), 64;
    }
    if (messages < window || window < 1 || round_trips < 1) return fprintf(stderr, "router_echo: messages >= window >= 1\n"), 64;
    void *context = zmq_ctx_new();
    void *both[2] = {open_socket(ZMQ_ROUTER, context), open_socket(ZMQ_ROUTER, context)};
    zmq_bind(both[0], "tcp://127.0.0.1:*");
    zmq_bind(both[1], "tcp://127.0.0.1:*");
    size_t size = sizeof client_endpoint;
    zmq_getsockopt(both[0], ZMQ_LAST_ENDPOINT, client_endpoint, &size);
    size = sizeof worker_endpoint;
    zmq_getsockopt(both[1], ZMQ_LAST_ENDPOINT, worker_endpoint, &size);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, broker, both);
    pthread_create(&threads[1], NULL, worker, NULL);
    void *client_context = zmq_ctx_new(), *s = open_socket(ZMQ_DEALER, client_context);
    zmq_connect(s, client_endpoint);
    zmq_poll(NULL, 0, 300); /* the worker's hello */

    double *times = malloc(sizeof(double) * (size_t)round_trips);
    for (long i = 0; i < round_trips; i++) {
        double start = now_us();
        send_one(s);
        take_one(s);
        times[i] = now_us() - start;
    }
    qsort(times, (size_t)round_trips, sizeof(double), by_value);
    double start = now_us();
    for (long i = 0; i < window; i++) send_one(s);
    for (long i = 0; i < messages; i++) {
        take_one(s);
        if (i + window < messages) send_one(s);
    }
    double seconds = (now_us() - start) / 1e6;
    printf("{\"messages_per_second\": %.0f, \"round_trip_p50_us\": %.1f, \"round_trip_p99_us\": %.1f, \"bytes\": %zu, \"window\": %ld}\n",
        messages / seconds, times[round_trips / 2], times[round_trips * 99 / 100], payload_bytes, window);
    fflush(stdout);
    _Exit(0);
}
