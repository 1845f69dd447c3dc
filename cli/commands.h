/* commands.h: the table of commands, and what all of them share.
 *
 * One command is one file and one row in main.c. A command reads its own options (base/options.h),
 * does its work and returns how the process ends (base/exit_code.h). One thread. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "base/exit_code.h"
#include "base/options.h"

struct command {
    const char *name;
    const char *operands; /* for the usage line: "TOPIC TYPE KEY JSON" */
    const char *summary;  /* one line of `stagedoor help` */
    const char *more;     /* further lines of --help, each ended by a newline; may be NULL */
    int (*run)(const struct command *command, int argc, char **argv);
};

int command_up(const struct command *command, int argc, char **argv);
int command_ls(const struct command *command, int argc, char **argv);
int command_describe(const struct command *command, int argc, char **argv);
int command_start(const struct command *command, int argc, char **argv);
int command_order(const struct command *command, int argc, char **argv);
int command_scale(const struct command *command, int argc, char **argv);
int command_monit(const struct command *command, int argc, char **argv);
int command_logs(const struct command *command, int argc, char **argv);
int command_loglevel(const struct command *command, int argc, char **argv);
int command_save(const struct command *command, int argc, char **argv);
int command_resurrect(const struct command *command, int argc, char **argv);
int command_startup(const struct command *command, int argc, char **argv);
int command_for_all(const struct command *command, int argc, char **argv);
int command_ready(const struct command *command, int argc, char **argv);
int command_seed(const struct command *command, int argc, char **argv);
int command_topics(const struct command *command, int argc, char **argv);
int command_publish(const struct command *command, int argc, char **argv);
int command_tail(const struct command *command, int argc, char **argv);
int command_flow(const struct command *command, int argc, char **argv);
int command_keys(const struct command *command, int argc, char **argv);
int command_refused(const struct command *command, int argc, char **argv);
int command_at(const struct command *command, int argc, char **argv);
int command_backup(const struct command *command, int argc, char **argv);
int command_restore(const struct command *command, int argc, char **argv);
int command_pause(const struct command *command, int argc, char **argv);
int command_resume(const struct command *command, int argc, char **argv);
int command_export(const struct command *command, int argc, char **argv);
int command_import(const struct command *command, int argc, char **argv);
int command_doctor(const struct command *command, int argc, char **argv);
int command_owners(const struct command *command, int argc, char **argv);
int command_verify(const struct command *command, int argc, char **argv);
int command_bench(const struct command *command, int argc, char **argv);

/* Reads the command line. false: it is over, and `*end` is the exit code: --help was printed to
 * standard output, or one line about what is wrong to standard error. */
bool command_options(const struct command *command, const struct option_spec *specs, int count,
                     int argc, char **argv, struct operands *operands, int *end);

/* Of --config, read by command_options. */
const struct option_file *command_file(void);

/* One line on standard error, "stagedoor NAME: ", and `end` back, so that a command can say
 * `return command_fail(…)`. */
int command_fail(const struct command *command, int end, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
