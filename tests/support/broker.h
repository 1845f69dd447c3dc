/* broker.h: a Kafka of this test's own, to be killed and frozen where others would mind.
 *
 * One for a process, in a folder of its own under var/; the working directory is the root of the
 * sources, as make has it. One thread. What does not work fails the running test. */
#ifndef TESTS_SUPPORT_BROKER_H
#define TESTS_SUPPORT_BROKER_H

#include <stdbool.h>

const char *broker_address(void); /* "localhost:PORT"; starts it when it does not run */
void broker_kill(void);           /* kill -9 */
void broker_up(void);             /* with its data, at its old address */
void broker_freeze(bool frozen);  /* SIGSTOP and SIGCONT: it answers nothing and refuses nothing */
void broker_gone(void);           /* stopped and deleted, whatever state it is in */

#endif
