/* What the programs of this folder share: a clock, a CPU, shared memory, and an end where a call fails. */
#ifndef BENCH_H
#define BENCH_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* A program takes a number of rounds and returns ns per round. */
struct program {
    const char *name;
    double (*run)(long rounds);
};

extern const struct program round_trips[], operations[], processes[];

/* ns of CLOCK_MONOTONIC. */
uint64_t now(void);
/* Ends the program with a message where the call before failed. */
void must(int holds, const char *what);
/* Zeroed memory that children share. */
void *shared(size_t size);
/* Moves the calling process to the CPU of the command line, if there is one. */
void settle(void);
/* Waits for the child and ends the program where the child failed. */
void reap(int pid);
/* Sleeps while the word holds the value; wakes those that sleep on it. */
void futex_wait(_Atomic uint32_t *word, uint32_t value);
void futex_wake(_Atomic uint32_t *word, int count);

#endif
