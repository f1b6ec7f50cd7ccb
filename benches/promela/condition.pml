/* A bounded buffer made of ONE mutex and ONE condition variable with notify_one:
 * the classic lost wakeup. CAP=1 with 2 producers and 2 consumers can hang. -DALL: notify_all (correct). */
#ifndef PR
#define PR 2
#endif
#ifndef CO
#define CO 2
#endif
#ifndef ITEMS
#define ITEMS 3
#endif
#ifndef CAP
#define CAP 1
#endif
#define T (PR+CO)
bit m = 0;            /* mutex */
bit waiting[T];       /* parked on the condvar */
byte count = 0;
inline lock()   { atomic { m == 0 -> m = 1 } }
inline unlock() { m = 0 }
inline wait() {       /* release and park in one step; wake; take the lock again */
	atomic { m = 0; waiting[_pid] = 1 }
	waiting[_pid] == 0;
	lock()
}
inline notify() {
#ifdef ALL
	d_step { k = 0; do :: k < T -> waiting[k] = 0; k++ :: else -> break od; k = 0 }
#else
	atomic {           /* any one parked thread, or nobody */
		if
		:: waiting[0] -> waiting[0] = 0
		:: waiting[1] -> waiting[1] = 0
		:: T > 2 && waiting[2%T] -> waiting[2%T] = 0
		:: T > 3 && waiting[3%T] -> waiting[3%T] = 0
		:: T > 4 && waiting[4%T] -> waiting[4%T] = 0
		:: else
		fi
	}
#endif
}
active [PR] proctype Producer() {
	byte i = 0;
#ifdef ALL
	byte k = 0;
#endif
	do
	:: i < ITEMS ->
		lock();
		do :: count == CAP -> wait() :: else -> break od;
		count++; i++;
		notify();
		unlock()
	:: else -> break
	od
}
active [CO] proctype Consumer() {
	byte i = 0;
#ifdef ALL
	byte k = 0;
#endif
	do
	:: i < (PR*ITEMS)/CO ->
		lock();
		do :: count == 0 -> wait() :: else -> break od;
		count--; i++;
		notify();
		unlock()
	:: else -> break
	od
}
