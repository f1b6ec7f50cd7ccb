/* Round trips between a parent and its child over each primitive on which a process can block. */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE 40
static char message[SIZE] = "forty bytes of text: a message as usual";

/* Runs `there` in the parent against `back` in the child, rounds times each; both are past their first round before
 * the time counts. */
static double against(long rounds, void (*there)(void), void (*back)(void)) {
    int pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        for (long i = 0; i <= rounds; i++) back();
        _exit(0);
    }
    there();
    uint64_t began = now();
    for (long i = 0; i < rounds; i++) there();
    double took = (double)(now() - began) / (double)rounds;
    reap(pid);
    return took;
}

/* Two pipes, one each way. */
static int request[2], answer[2];
static void give(int fd) { must(write(fd, message, SIZE) == SIZE, "write"); }
static void take(int fd) { must(read(fd, message, SIZE) == SIZE, "read"); }
static void pipe_there(void) { give(request[1]); take(answer[0]); }
static void pipe_back(void) { take(request[0]); give(answer[1]); }
static double pipes(long rounds) {
    must(pipe(request) == 0 && pipe(answer) == 0, "pipe");
    return against(rounds, pipe_there, pipe_back);
}

/* A pair of sockets that keep messages apart. */
static int pair[2];
static void duplex_there(void) { give(pair[0]); take(pair[0]); }
static void duplex_back(void) { take(pair[1]); give(pair[1]); }
static double duplex(long rounds) {
    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0, "socketpair");
    return against(rounds, duplex_there, duplex_back);
}

static mqd_t queues[2];
static void mq_give(mqd_t queue) { must(mq_send(queue, message, SIZE, 0) == 0, "mq_send"); }
static void mq_take(mqd_t queue) { must(mq_receive(queue, message, SIZE, NULL) == SIZE, "mq_receive"); }
static void mq_there(void) { mq_give(queues[0]); mq_take(queues[1]); }
static void mq_back(void) { mq_take(queues[0]); mq_give(queues[1]); }
static double mq(long rounds) {
    for (int i = 0; i < 2; i++) {
        char name[40];
        struct mq_attr attributes = { .mq_maxmsg = 5, .mq_msgsize = SIZE };
        snprintf(name, sizeof name, "/ipcrun-bench-%d-%d", (int)getpid(), i);
        queues[i] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
        must(queues[i] >= 0, "mq_open");
        mq_unlink(name);
    }
    return against(rounds, mq_there, mq_back);
}

static int channels[2];
struct letter {
    long type;
    char text[SIZE];
};
static void sysv_give(int id) {
    struct letter letter = { .type = 1 };
    memcpy(letter.text, message, SIZE);
    must(msgsnd(id, &letter, SIZE, 0) == 0, "msgsnd");
}
static void sysv_take(int id) {
    struct letter letter;
    must(msgrcv(id, &letter, SIZE, 0, 0) == SIZE, "msgrcv");
}
static void sysv_there(void) { sysv_give(channels[0]); sysv_take(channels[1]); }
static void sysv_back(void) { sysv_take(channels[0]); sysv_give(channels[1]); }
static double sysv_queue(long rounds) {
    for (int i = 0; i < 2; i++) must((channels[i] = msgget(IPC_PRIVATE, 0600)) >= 0, "msgget");
    double took = against(rounds, sysv_there, sysv_back);
    for (int i = 0; i < 2; i++) msgctl(channels[i], IPC_RMID, NULL);
    return took;
}

/* A bounded queue in shared memory, under a mutex with two conditions. A signal after the unlock saves the woken
 * process a second wait, for the mutex. */
struct ring {
    pthread_mutex_t mutex;
    pthread_cond_t filled, emptied;
    unsigned head, tail;
    char slots[5][SIZE];
};
static struct ring *rings[2];
static void shared_mutex(pthread_mutex_t *mutex) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(mutex, &attributes);
}
static void shared_condition(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(condition, &attributes);
}
static void ring_give(struct ring *ring) {
    pthread_mutex_lock(&ring->mutex);
    while (ring->head - ring->tail == 5) pthread_cond_wait(&ring->emptied, &ring->mutex);
    memcpy(ring->slots[ring->head++ % 5], message, SIZE);
    pthread_mutex_unlock(&ring->mutex);
    pthread_cond_signal(&ring->filled);
}
static void ring_take(struct ring *ring) {
    pthread_mutex_lock(&ring->mutex);
    while (ring->head == ring->tail) pthread_cond_wait(&ring->filled, &ring->mutex);
    memcpy(message, ring->slots[ring->tail++ % 5], SIZE);
    pthread_mutex_unlock(&ring->mutex);
    pthread_cond_signal(&ring->emptied);
}
static void ring_there(void) { ring_give(rings[0]); ring_take(rings[1]); }
static void ring_back(void) { ring_take(rings[0]); ring_give(rings[1]); }
static double memory_queue(long rounds) {
    for (int i = 0; i < 2; i++) {
        rings[i] = shared(sizeof **rings);
        shared_mutex(&rings[i]->mutex);
        shared_condition(&rings[i]->filled);
        shared_condition(&rings[i]->emptied);
    }
    return against(rounds, ring_there, ring_back);
}

static sem_t *semaphores;
static void sem_there(void) { sem_post(&semaphores[0]); sem_wait(&semaphores[1]); }
static void sem_back(void) { sem_wait(&semaphores[0]); sem_post(&semaphores[1]); }
static double posix_semaphore(long rounds) {
    semaphores = shared(2 * sizeof *semaphores);
    for (int i = 0; i < 2; i++) must(sem_init(&semaphores[i], 1, 0) == 0, "sem_init");
    return against(rounds, sem_there, sem_back);
}

static int set;
static void sysv_add(unsigned short which, short amount) {
    struct sembuf operation = { .sem_num = which, .sem_op = amount };
    must(semop(set, &operation, 1) == 0, "semop");
}
static void set_there(void) { sysv_add(0, 1); sysv_add(1, -1); }
static void set_back(void) { sysv_add(0, -1); sysv_add(1, 1); }
static double sysv_semaphore(long rounds) {
    must((set = semget(IPC_PRIVATE, 2, 0600)) >= 0, "semget");
    double took = against(rounds, set_there, set_back);
    semctl(set, 0, IPC_RMID);
    return took;
}

/* Whose turn it is, under a mutex, with a condition to wait for it; signalled after the unlock, as above. */
static struct turn {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int whose;
} *turn;
static void pass(int me) {
    pthread_mutex_lock(&turn->mutex);
    while (turn->whose != me) pthread_cond_wait(&turn->changed, &turn->mutex);
    turn->whose = 1 - me;
    pthread_mutex_unlock(&turn->mutex);
    pthread_cond_signal(&turn->changed);
}
static void condition_there(void) { pass(0); }
static void condition_back(void) { pass(1); }
static double condition(long rounds) {
    turn = shared(sizeof *turn);
    shared_mutex(&turn->mutex);
    shared_condition(&turn->changed);
    return against(rounds, condition_there, condition_back);
}

static pthread_barrier_t *meeting;
static void meet(void) { pthread_barrier_wait(meeting); }
static double barrier(long rounds) {
    pthread_barrierattr_t attributes;
    meeting = shared(sizeof *meeting);
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(meeting, &attributes, 2);
    return against(rounds, meet, meet);
}

/* An event is a futex word that is 1 while it is set. */
static _Atomic uint32_t *events[2];
static void event_set(_Atomic uint32_t *event) {
    if (atomic_exchange(event, 1) == 0) futex_wake(event, 1 << 30);
}
static void event_await(_Atomic uint32_t *event) {
    while (atomic_load(event) == 0) futex_wait(event, 0);
    atomic_store(event, 0);
}
static void event_there(void) { event_set(events[0]); event_await(events[1]); }
static void event_back(void) { event_await(events[0]); event_set(events[1]); }
static double event(long rounds) {
    for (int i = 0; i < 2; i++) events[i] = shared(64);
    return against(rounds, event_there, event_back);
}

const struct program round_trips[] = {
    { "pipe", pipes },
    { "pipe-duplex", duplex },
    { "queue-posix", mq },
    { "queue-sysv", sysv_queue },
    { "queue-memory", memory_queue },
    { "semaphore-posix", posix_semaphore },
    { "semaphore-sysv", sysv_semaphore },
    { "condition", condition },
    { "barrier", barrier },
    { "event", event },
    { 0 },
};
