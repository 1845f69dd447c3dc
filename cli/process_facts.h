/* process_facts.h: an instance as the stage manager knows it (manager.h, `ls`), and its line in a
 * table. Pure. */
#ifndef CLI_PROCESS_FACTS_H
#define CLI_PROCESS_FACTS_H

#include "schemas/json.h"

enum { FACTS_NAME_SIZE = 48, FACTS_TEXT_SIZE = 300 };

struct process_facts {
    char name[FACTS_NAME_SIZE], state[FACTS_NAME_SIZE];
    char status[FACTS_TEXT_SIZE], last_end[FACTS_TEXT_SIZE];
    int64_t number, pid, uptime_s, restarts, deaths_in_a_row, cpu_percent, memory_bytes;
};

void process_facts_read(const struct json *process, struct process_facts *facts);

/* The head of the table and a line of it, without their ends, so that more columns may follow. */
void process_facts_head(struct buffer *out);
void process_facts_row(const struct process_facts *facts, struct buffer *out);

/* "42s", "17m", "5h", "3d"; returns `out`. */
enum { AGE_SIZE = 24 };
const char *process_age(int64_t s, char out[AGE_SIZE]);

#endif
