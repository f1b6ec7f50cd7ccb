"""The tutorial's programs by multiprocessing, corrected, without their sleeps and with more rounds.

python3 tutorial.py NAME ROUNDS [CPU]
"""
import os
import random
import sys
from multiprocessing import Array, Pipe, Process, Queue, Semaphore, Value, set_start_method


def together(*targets):
    """Starts a process for each target and waits for all of them."""
    processes = [Process(target=target) for target in targets]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        if process.exitcode:
            sys.exit(f"a process ended with {process.exitcode}")


def dialogue(rounds):
    """app1 asks for a login over a duplex pipe, app2 answers with a list."""
    here, there = Pipe()

    def app1():
        for _ in range(rounds):
            here.send("app1 请求登陆")
            data = here.recv()
        assert data == ["Dave", "123"]

    def app2():
        for _ in range(rounds):
            there.recv()
            there.send(["Dave", "123"])

    together(app1, app2)


def five(rounds):
    """A producer meets a full queue of five, the consumer gets with a timeout."""
    q = Queue(5)

    def producer():
        for _ in range(rounds):
            q.put(random.randint(1, 34))

    def consumer():
        for _ in range(rounds):
            q.get(timeout=3)

    together(producer, consumer)


def balance(rounds):
    """Two processes change one value under its lock."""
    money = Value("q", 5000)

    def man():
        for _ in range(rounds):
            x = random.randint(1, 1000)
            with money.get_lock():
                money.value += x

    def girl():
        for _ in range(rounds):
            x = random.randint(100, 800)
            with money.get_lock():
                money.value -= x

    together(man, girl)


def numbers(rounds):
    """A child iterates over an array of five and changes one of its numbers."""
    shm = Array("i", [1, 2, 3, 4, 5])

    def child():
        for _ in range(rounds):
            for _number in shm:
                pass
            shm[1] = 1000

    together(child)
    assert shm[1] == 1000


def workers(rounds):
    """Ten workers share three permits; each lets the others run while it has one."""
    permits = Semaphore(3)

    def worker():
        for _ in range(rounds):
            permits.acquire()
            os.sched_yield()
            permits.release()

    together(*[worker] * 10)


def printing(rounds):
    """A process prints a line each round."""

    def printer():
        for i in range(rounds):
            print("line", i)

    together(printer)


def starting(rounds):
    """A process starts and joins others, one at a time."""

    def nothing():
        pass

    for _ in range(rounds):
        together(nothing)


PROGRAMS = {
    "tutorial-pipe": dialogue,
    "tutorial-queue": five,
    "tutorial-value": balance,
    "tutorial-array": numbers,
    "tutorial-semaphore": workers,
    "printing": printing,
    "start-join": starting,
}

if __name__ == "__main__":
    set_start_method("fork")
    if len(sys.argv) > 3:
        os.sched_setaffinity(0, {int(sys.argv[3])})
    PROGRAMS[sys.argv[1]](int(sys.argv[2]))
