/* log_questions.h: what is asked of the log itself, on a clerk's thread: what all services said
 * since, and the story of a reservation. Each puts LOG_… and what was found into `result`; nothing
 * but LOG_UNREACHABLE if the log does not answer in time. */
#ifndef API_LOG_QUESTIONS_H
#define API_LOG_QUESTIONS_H

#include "api/clerks.h"
#include "api/edge.h"

enum { LOG_WAIT_MS = 20 * 1000, FEED_TOPIC_COUNT = 3 };

/* The first byte of a result. */
enum log_answer {
    LOG_UNREACHABLE = 'u',
    LOG_OTHER = 'o', /* the log is not the one that was read to there */
    LOG_MORE = 'm',  /* there is more behind it */
    LOG_END = 'e'    /* that was all there was */
};

/* What is asked of a feed; positions of the event topics, row by topic, are the request's. */
struct feed_wish {
    const struct fence *positions; /* NULL: from the start of the log */
    struct text types;             /* separated by commas, with or without "stagedoor.shows."; or
                                      empty: all */
    int64_t limit;
};

/* By errand.details, a struct feed_wish: the cursor behind it, a line end, and CloudEvents in JSON
 * (CloudEvents 1.0.2, JSON format §4) with commas between. */
void log_feed(struct clerk *clerk, struct request *request, struct buffer *result);

/* Those of the event topics out of `all`, TOPIC_COUNT × partition_count. */
void feed_positions(const struct fence *all, int partition_count, struct fence *fences);

/* The cursor's text for positions, and back. `fences`: FEED_TOPIC_COUNT × partition_count. */
void feed_cursor_print(const struct fence *fences, int partition_count, struct buffer *out);
bool feed_cursor_parse(struct text cursor, int partition_count, struct fence *fences);

/* Of errand.reservation_id of errand.show_id: members "began" and "steps", as `stagedoor flow
 * --json` has them. Only the show's partition is read. */
void log_flow(struct clerk *clerk, struct request *request, struct buffer *result);

#endif
