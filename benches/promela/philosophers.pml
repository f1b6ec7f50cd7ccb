/* Dining philosophers; -DN=5; -DORDERED takes the lower fork first (no deadlock);
 * -DLOOP: for ever instead of one meal each. One transition per fork operation. */
#ifndef N
#define N 3
#endif
#ifdef ORDERED
#define L (_pid == N-1 -> 0 : _pid)
#define R (_pid == N-1 -> N-1 : _pid+1)
#else
#define L _pid
#define R ((_pid+1) % N)
#endif
bit fork[N];
active [N] proctype Phil() {
again:
	atomic { fork[L] == 0 -> fork[L] = 1 }
	atomic { fork[R] == 0 -> fork[R] = 1 }
	fork[R] = 0;
#ifdef LOOP
	atomic { fork[L] = 0; goto again }
#else
	fork[L] = 0;
end:	false
#endif
}
