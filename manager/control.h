/* control.h: the socket at which the stage manager is spoken to.
 *
 *     FOLDER/control, a stream socket for its owner alone (0600)
 *     request    one line of words, separated by spaces:   reload edge
 *     answer     JSON objects, a line each; the last one, {"end":0,…}, closes. "end" is the exit
 *                code of the command that asked, "error" says why, for people.
 *
 * So `echo ls | nc -U var/control` works as well. Whoever goes away in the middle of an answer has
 * asked nevertheless: an order is carried out. Nobody can make it wait: what a client does not read
 * is kept up to a bound, then the client is dropped. One thread. */
#ifndef MANAGER_CONTROL_H
#define MANAGER_CONTROL_H

#include "base/text.h"
#include "process/sockets.h"

enum {
    CONTROL_CLIENTS_MAX = 32,
    CONTROL_WORDS_MAX = 4,
    CONTROL_REQUEST_MAX = 512,
    CONTROL_ANSWER_MAX = 1024 * 1024
};

#define CONTROL_NAME "control"

struct control_request {
    int client; /* to answer to */
    struct text words[CONTROL_WORDS_MAX];
    int count;
};

struct control;

/* Takes the place of a socket that nobody serves any more. NULL: `error` says why. Given back with
 * control_close, which removes the socket. */
struct control *control_open(const char *folder, char error[SOCKETS_ERROR_SIZE]);
void control_close(struct control *control); /* NULL is allowed */

/* Readable when control_hear has something to do. */
int control_fd(const struct control *control);

/* Takes and sends what can be; the next whole request, or false: none now. Words are borrowed until
 * the next call. */
bool control_hear(struct control *control, struct control_request *request);

/* A JSON object as one line to a client, who may be gone. */
void control_answer(struct control *control, int id, struct text json);

/* The last line, and the end of the connection. `error` may be empty. */
void control_end(struct control *control, int id, int end, struct text error);

/* A socket connected to the manager of that folder; -1 with errno set: nobody is there. */
int control_connect(const char *folder);

#endif
