/* W workers, semaphore(S): acquire, work, release. Claim: never more than S inside. */
#ifndef W
#define W 10
#endif
#ifndef S
#define S 3
#endif
byte sem = S, inside = 0;
active [W] proctype Worker() {
	atomic { sem > 0 -> sem--; inside++; assert(inside <= S) }
	skip;                      /* work */
	atomic { inside--; sem++ }
end:	false
}
