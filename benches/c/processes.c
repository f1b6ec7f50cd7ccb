/* Programs of many processes. */
#define _GNU_SOURCE
#include "bench.h"

#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

/* Ten workers, three permits: each takes one, lets the others run, and gives it back. ns per turn of all. */
static double workers(long rounds) {
    enum { COUNT = 10 };
    struct {
        sem_t permits;
        _Atomic uint32_t go;
    } *all = shared(sizeof *all);
    int pids[COUNT];
    must(sem_init(&all->permits, 1, 3) == 0, "sem_init");
    for (int w = 0; w < COUNT; w++) {
        pids[w] = fork();
        must(pids[w] >= 0, "fork");
        if (pids[w]) continue;
        while (!atomic_load(&all->go)) futex_wait(&all->go, 0);
        for (long i = 0; i < rounds; i++) {
            sem_wait(&all->permits);
            sched_yield();
            sem_post(&all->permits);
        }
        _exit(0);
    }
    uint64_t began = now();
    atomic_store(&all->go, 1);
    futex_wake(&all->go, COUNT);
    for (int w = 0; w < COUNT; w++) reap(pids[w]);
    return (double)(now() - began) / (double)rounds;
}

/* As many processes as rounds: all are forked, wait for a gate, do one thing and end; ns per process. */
static double crowd(long rounds) {
    struct {
        _Atomic uint32_t go;
        _Atomic uint64_t done;
    } *all = shared(sizeof *all);
    int *pids = malloc((size_t)rounds * sizeof *pids);
    must(pids != NULL, "malloc");
    uint64_t began = now();
    for (long i = 0; i < rounds; i++) {
        pids[i] = fork();
        must(pids[i] >= 0, "fork");
        if (pids[i]) continue;
        while (!atomic_load(&all->go)) futex_wait(&all->go, 0);
        atomic_fetch_add(&all->done, 1);
        _exit(0);
    }
    atomic_store(&all->go, 1);
    futex_wake(&all->go, 1 << 30);
    for (long i = 0; i < rounds; i++) reap(pids[i]);
    return (double)(now() - began) / (double)rounds;
}

/* From before fork to the child's first instruction, one child after the other. */
static double first_step(long rounds) {
    _Atomic uint64_t *stamp = shared(sizeof *stamp);
    uint64_t sum = 0;
    for (long i = 0; i < rounds; i++) {
        uint64_t began = now();
        int pid = fork();
        must(pid >= 0, "fork");
        if (pid == 0) {
            atomic_store(stamp, now());
            _exit(0);
        }
        reap(pid);
        sum += atomic_load(stamp) - began;
    }
    return (double)sum / (double)rounds;
}

const struct program processes[] = {
    { "workers", workers },
    { "crowd", crowd },
    { "first-step", first_step },
    { 0 },
};
