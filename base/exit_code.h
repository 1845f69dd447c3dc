/* exit_code.h: how a program ends.
 *
 * Exit codes are an API: scripts tell "no" from "could not find out" by them, and the supervisor
 * does not start again what was called wrongly. All programs mean the same by them. */
#ifndef BASE_EXIT_CODE_H
#define BASE_EXIT_CODE_H

enum exit_code {
    END_OK = 0,
    END_NO = 1,      /* the answer is no: a breach, a refusal, not ready */
    END_USAGE = 100, /* the call itself makes no sense */
    END_SYSTEM = 111 /* the world failed: nobody answers, no room, not permitted; later may help */
};

#endif
