/* The programs that ipcrun is measured against: `bench NAME ROUNDS [CPU [PRIORITY]]` prints `took NS`, per round.
 *
 * With a CPU every process runs there; with a priority it runs as SCHED_FIFO. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int cpu = -1, priority = 0;

uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void must(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

void *shared(size_t size) {
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(p != MAP_FAILED, "mmap");
    return p;
}

void settle(void) {
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        must(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
    }
    if (priority > 0) {
        struct sched_param param = { .sched_priority = priority };
        must(sched_setscheduler(0, SCHED_FIFO, &param) == 0, "sched_setscheduler");
    }
}

void reap(int pid) {
    int status;
    must(waitpid(pid, &status, 0) == pid, "waitpid");
    errno = 0;
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child failed");
}

void futex_wait(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

void futex_wake(_Atomic uint32_t *word, int count) { syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0); }

int main(int argc, char **argv) {
    const struct program *all[] = { round_trips, operations, processes };
    if (argc < 3) {
        fprintf(stderr, "usage: bench NAME ROUNDS [CPU [PRIORITY]]\n");
        return 2;
    }
    if (argc > 3) cpu = atoi(argv[3]);
    if (argc > 4) priority = atoi(argv[4]);
    settle();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const struct program *p = all[i]; p->name; p++)
            if (!strcmp(p->name, argv[1])) {
                printf("took %.3f\n", p->run(atol(argv[2])));
                return 0;
            }
    fprintf(stderr, "no program is named %s\n", argv[1]);
    return 2;
}
