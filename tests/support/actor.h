/* actor.h: a test program that plays its own children: started again as
 *
 *     /proc/self/exe --actor WORD…
 *
 * it does what the words say, one after the other: "ready" is told as to systemd, with a sign of
 * life and the status "here"; "say" prints the next word; "deaf" ignores SIGTERM; "stay" waits to
 * be told to end, says "gone" and ends; "freeze" stops itself; "killed" kills itself; "exit" ends
 * with the next word as its code. */
#ifndef TESTS_SUPPORT_ACTOR_H
#define TESTS_SUPPORT_ACTOR_H

/* To be called first in main: does not return if this process is an actor. */
void actor_play(int argc, char **argv);

#endif
