/* body.h: reading a JSON request body field by field, strictly.
 *
 * Each body_… asks for one member; a member of the wrong type answers the request 400 with its
 * pointer, and what nobody asked for is refused by body_close. Limits are not checked here but
 * by command_check, with the log's own table, so that both edges of the log agree. Any thread,
 * for its own request. */
#ifndef API_BODY_H
#define API_BODY_H

#include "api/request.h"
#include "schemas/json.h"
#include "schemas/message.h"

enum { BODY_MEMBERS_MAX = 32 };

struct body {
    struct request *request;
    struct json *document; /* NULL: the body is empty, which may be allowed */
    const char *known[BODY_MEMBERS_MAX];
    int known_count;
    bool good; /* false: the request is answered */
};

/* Parses the body as a JSON object. `may_be_empty`: no body reads as {}. false: answered. */
bool body_open(struct body *body, struct request *request, bool may_be_empty);

/* Refuses members nobody asked for, gives the document back. false: the request is answered. */
bool body_close(struct body *body);

/* Each false when the member is absent or bad; texts are copied to the request's arena. */
bool body_text(struct body *body, const char *name, struct text *value);
bool body_i64(struct body *body, const char *name, int64_t *value);
bool body_bool(struct body *body, const char *name, bool *value);
bool body_time(struct body *body, const char *name, int64_t *value_ms); /* RFC 3339 */
bool body_refund(struct body *body, const char *name, enum refund *value);
bool body_entry(struct body *body, const char *name, enum entry *value);
bool body_lines(struct body *body, struct lines *lines); /* "lines" */
/* Ticket ids of that reservation. */
bool body_tickets(struct body *body, const char *name, struct text reservation_id,
                  struct numbers *numbers);
bool body_tiers(struct body *body, struct tiers *tiers,
                struct text *currency); /* "tiers"; `currency`: of a price, if empty */

/* Asks for a member by body_<kind> and sets the command's field to it. */
#define body_take(body, kind, name, command, field)                                                \
    do {                                                                                           \
        __typeof__((command)->field) taken_;                                                       \
        if (body_##kind(body, name, &taken_))                                                      \
            message_set(command, field, taken_);                                                   \
    } while (0)

/* A member that must be there: answers 400 if it is not. */
bool body_require(struct body *body, const char *name, bool found);

/* Whether every field is within the log's limits. false: the request is answered, with the
 * body's own pointer. */
bool command_check(struct request *request, const struct message *command);

#endif
