#include "manager/notices.h"

#include "base/text.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { DATAGRAM_SIZE = 2048 };

/* An address that the kernel makes up: five hexadecimal digits behind a NUL. */
static bool bind_anywhere(struct notices *notices)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = sizeof address.sun_family;
    int yes = 1;
    if (bind(notices->fd, (struct sockaddr *)&address, size) != 0 ||
        setsockopt(notices->fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0)
        return false;
    size = sizeof address;
    if (getsockname(notices->fd, (struct sockaddr *)&address, &size) != 0)
        return false;
    size_t length = size - offsetof(struct sockaddr_un, sun_path);
    snprintf(notices->address, sizeof notices->address, "@%.*s", (int)length - 1,
             address.sun_path + 1);
    return true;
}

bool notices_open(struct notices *notices)
{
    notices->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (notices->fd >= 0 && bind_anywhere(notices))
        return true;
    int why = errno;
    notices_close(notices);
    errno = why;
    return false;
}

void notices_close(struct notices *notices)
{
    if (notices->fd >= 0)
        close(notices->fd);
    notices->fd = -1;
}

static void read_words(struct text rest, struct notice *notice)
{
    while (rest.size) {
        struct text value = text_cut(&rest, '\n'), name = text_cut(&value, '=');
        if (text_is(name, "READY"))
            notice->ready = text_is(value, "1");
        else if (text_is(name, "WATCHDOG"))
            notice->alive = text_is(value, "1");
        else if (text_is(name, "STATUS"))
            snprintf(notice->status, sizeof notice->status, "%.*s", TEXT_PRINT(value));
    }
}

bool notices_hear(struct notices *notices, struct notice *notice)
{
    char bytes[DATAGRAM_SIZE];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t size = recvmsg(notices->fd, &message, MSG_CMSG_CLOEXEC);
    if (size < 0)
        return false;
    *notice = (struct notice){.pid = 0};
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS) {
            struct ucred who;
            memcpy(&who, CMSG_DATA(header), sizeof who);
            notice->pid = who.pid;
        }
    read_words(text_from(bytes, (size_t)size), notice);
    return true;
}
