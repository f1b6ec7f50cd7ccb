/* Lost update: P processes, each K times: read x; write x+1.
 * One transition per visible operation; a finished process waits in a valid end state instead of dying,
 * so the state count is that of the problem itself (195 for P=2, K=3).
 * -DBUG: claims the final value is P*K (false). Otherwise claims it is >= 2 (true). */
#ifndef P
#define P 2
#endif
#ifndef K
#define K 3
#endif
byte x = 0;
byte left = P;          /* processes not finished; a function of the locals, so it adds no states */
active [P] proctype W() {
	byte i = 0, t = 0;
rd:	t = x;
	atomic {
		x = t + 1; t = 0; i++;
		if
		:: i < K -> goto rd
		:: else ->
			left--;
			if
#ifdef BUG
			:: left == 0 -> assert(x == P*K)
#else
			:: left == 0 -> assert(K < 2 || x >= 2)
#endif
			:: else
			fi;
			goto end
		fi
	}
end:	false
}
