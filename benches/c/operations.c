/* Operations of one process that find what they need at once. A round is the same pair of operations, or the same
 * one, as in the scenario of that name. */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SIZE 40
static char message[SIZE] = "forty bytes of text: a message as usual";

#define TIMED(rounds, body)                                   \
    uint64_t began = now();                                   \
    for (long i = 0; i < (rounds); i++) { body; }             \
    return (double)(now() - began) / (double)(rounds)

static double semaphore(long rounds) {
    sem_t *permits = shared(sizeof *permits);
    must(sem_init(permits, 1, 1) == 0, "sem_init");
    TIMED(rounds, sem_wait(permits); sem_post(permits));
}

static void shared_mutex(pthread_mutex_t *mutex) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(mutex, &attributes);
}

static double mutex(long rounds) {
    pthread_mutex_t *m = shared(sizeof *m);
    shared_mutex(m);
    TIMED(rounds, pthread_mutex_lock(m); pthread_mutex_unlock(m));
}

static double value_add(long rounds) {
    _Atomic int64_t *value = shared(sizeof *value);
    TIMED(rounds, atomic_fetch_add(value, 3));
}

struct guarded {
    pthread_mutex_t mutex;
    volatile int64_t value;
};

static double value_update(long rounds) {
    struct guarded *guarded = shared(sizeof *guarded);
    shared_mutex(&guarded->mutex);
    TIMED(rounds, pthread_mutex_lock(&guarded->mutex); guarded->value += 3; pthread_mutex_unlock(&guarded->mutex));
}

static double value_load(long rounds) {
    _Atomic int64_t *value = shared(sizeof *value);
    volatile int64_t seen;
    TIMED(rounds, seen = atomic_load(value); (void)seen);
}

static double value_store(long rounds) {
    _Atomic int64_t *value = shared(sizeof *value);
    TIMED(rounds, atomic_store(value, 3));
}

static double array_store(long rounds) {
    _Atomic int32_t *numbers = shared(8 * sizeof *numbers);
    TIMED(rounds, atomic_store(&numbers[1], 1000));
}

static double pipe_within(long rounds) {
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    TIMED(rounds, must(write(ends[1], message, SIZE) == SIZE && read(ends[0], message, SIZE) == SIZE, "pipe"));
}

static double queue_within(long rounds) {
    char name[40];
    struct mq_attr attributes = { .mq_maxmsg = 5, .mq_msgsize = SIZE };
    snprintf(name, sizeof name, "/ipcrun-bench-%d", (int)getpid());
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    must(queue >= 0, "mq_open");
    mq_unlink(name);
    TIMED(rounds, must(mq_send(queue, message, SIZE, 0) == 0 && mq_receive(queue, message, SIZE, NULL) == SIZE, "mq"));
}

const struct program operations[] = {
    { "semaphore-within", semaphore },
    { "mutex-within", mutex },
    { "value-add", value_add },
    { "value-update", value_update },
    { "value-load", value_load },
    { "value-store", value_store },
    { "array-store", array_store },
    { "pipe-within", pipe_within },
    { "queue-within", queue_within },
    { 0 },
};
