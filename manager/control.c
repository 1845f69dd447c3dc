/* A Unix socket, lines in, lines out, never waiting for a client. */
#include "manager/control.h"

#include "base/memory.h"
#include "schemas/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct client {
    int fd; /* -1: nobody */
    int id; /* its place may be somebody else's later, its id never */
    char bytes[CONTROL_REQUEST_MAX];
    size_t size;
    bool asked;  /* its request is complete */
    bool ending; /* to be closed when all is sent */
    struct buffer answer;
    size_t sent;
};

struct control {
    char *path;
    int listener;
    int epoll;
    int last_id;
    struct client clients[CONTROL_CLIENTS_MAX];
};

/* ---- life ------------------------------------------------------------------------------------ */
static void look_out(struct control *control, int fd, int operation, uint32_t events, uint32_t who)
{
    struct epoll_event event = {.events = events, .data.u32 = who};
    epoll_ctl(control->epoll, operation, fd, &event);
}

struct control *control_open(const char *folder, char error[SOCKETS_ERROR_SIZE])
{
    struct control *control = memory_new(sizeof *control);
    struct buffer path = {0};
    buffer_print(&path, "%s/" CONTROL_NAME, folder);
    control->path = path.data;
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        control->clients[i].fd = -1;
    mode_t mask = umask(0177);
    control->listener = socket_listen_at(control->path, error);
    umask(mask);
    control->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (control->listener >= 0 && control->epoll >= 0) {
        look_out(control, control->listener, EPOLL_CTL_ADD, EPOLLIN, CONTROL_CLIENTS_MAX);
        return control;
    }
    if (control->listener >= 0)
        snprintf(error, SOCKETS_ERROR_SIZE, "cannot wait for more than one: %s", strerror(errno));
    control_close(control);
    return NULL;
}

static void drop(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    buffer_release(&client->answer);
    *client = (struct client){.fd = -1};
}

void control_close(struct control *control)
{
    if (control == NULL)
        return;
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        drop(&control->clients[i]);
    if (control->listener >= 0) {
        close(control->listener);
        unlink(control->path);
    }
    if (control->epoll >= 0)
        close(control->epoll);
    memory_free(control->path);
    memory_free(control);
}

int control_fd(const struct control *control)
{
    return control->epoll;
}

int control_connect(const char *folder)
{
    struct buffer path = {0};
    buffer_print(&path, "%s/" CONTROL_NAME, folder);
    int fd = socket_connect_at(path.data), why = errno;
    buffer_release(&path);
    errno = why;
    return fd;
}

/* ---- sending --------------------------------------------------------------------------------- */
static void send_on(struct control *control, int number)
{
    struct client *client = &control->clients[number];
    while (client->sent < client->answer.size) {
        ssize_t size = send(client->fd, client->answer.data + client->sent,
                            client->answer.size - client->sent, MSG_NOSIGNAL);
        if (size < 0 && errno == EAGAIN && client->answer.size <= CONTROL_ANSWER_MAX) {
            look_out(control, client->fd, EPOLL_CTL_MOD, EPOLLOUT, (uint32_t)number);
            return;
        }
        if (size < 0 && errno != EINTR) {
            drop(client);
            return;
        }
        client->sent += size > 0 ? (size_t)size : 0;
    }
    buffer_clear(&client->answer);
    client->sent = 0;
    if (client->ending)
        drop(client);
    else
        look_out(control, client->fd, EPOLL_CTL_MOD, EPOLLIN, (uint32_t)number);
}

/* The place of a client who is there and has not had the last line; -1: nobody. */
static int place_of(const struct control *control, int id)
{
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        if (control->clients[i].fd >= 0 && control->clients[i].id == id)
            return control->clients[i].ending ? -1 : i;
    return -1;
}

void control_answer(struct control *control, int id, struct text json)
{
    int number = place_of(control, id);
    if (number < 0)
        return;
    struct client *client = &control->clients[number];
    buffer_text(&client->answer, json);
    buffer_byte(&client->answer, '\n');
    send_on(control, number);
}

void control_end(struct control *control, int id, int end, struct text error)
{
    int number = place_of(control, id);
    if (number < 0)
        return;
    struct client *client = &control->clients[number];
    struct buffer line = {0};
    json_put_open(&line, NULL, '{');
    json_put_i64(&line, "end", end);
    if (error.size)
        json_put_text(&line, "error", error);
    json_put_close(&line, '}');
    buffer_text(&client->answer, buffer_view(&line));
    buffer_byte(&client->answer, '\n');
    buffer_release(&line);
    client->ending = true;
    send_on(control, number);
}

/* ---- hearing --------------------------------------------------------------------------------- */
static void accept_one(struct control *control)
{
    int fd = accept4(control->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        if (control->clients[i].fd < 0) {
            control->clients[i].fd = fd;
            control->clients[i].id = ++control->last_id;
            look_out(control, fd, EPOLL_CTL_ADD, EPOLLIN, (uint32_t)i);
            return;
        }
    close(fd);
}

/* Reads on; whether the request is complete now. */
static bool read_on(struct control *control, int number)
{
    struct client *client = &control->clients[number];
    char more[CONTROL_REQUEST_MAX];
    ssize_t size = read(client->fd, more, sizeof more);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (client->asked) { /* it has nothing more to say, but may still listen */
        if (size == 0)
            look_out(control, client->fd, EPOLL_CTL_MOD, 0, (uint32_t)number);
        return false;
    }
    if (size <= 0 || (size_t)size > sizeof client->bytes - client->size) {
        drop(client);
        return false;
    }
    memcpy(client->bytes + client->size, more, (size_t)size);
    client->size += (size_t)size;
    client->asked = memchr(client->bytes, '\n', client->size) != NULL;
    return client->asked;
}

static void split(const struct client *client, struct control_request *request)
{
    struct text rest = text_from(client->bytes, client->size), line = text_cut(&rest, '\n');
    *request = (struct control_request){.client = client->id};
    while (line.size && request->count < CONTROL_WORDS_MAX) {
        struct text word = text_trim(text_cut(&line, ' '));
        if (word.size)
            request->words[request->count++] = word;
    }
}

bool control_hear(struct control *control, struct control_request *request)
{
    struct epoll_event event;
    while (epoll_wait(control->epoll, &event, 1, 0) == 1) {
        int number = (int)event.data.u32;
        if (number == CONTROL_CLIENTS_MAX) {
            accept_one(control);
            continue;
        }
        struct client *client = &control->clients[number];
        if (client->asked && (event.events & (EPOLLHUP | EPOLLERR))) {
            drop(client);
        } else if (event.events & EPOLLOUT) {
            send_on(control, number);
        } else if (read_on(control, number)) {
            split(client, request);
            return true;
        }
    }
    return false;
}
