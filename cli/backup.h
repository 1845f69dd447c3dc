/* backup.h: what `backup` and `restore` share: which files are an installation on sqlite, and
 * making something under a name of its own before it gets the name it is for.
 *
 * Registers are views of the log and are no part of it; nor are the books of payment providers,
 * which are theirs. One thread. */
#ifndef CLI_BACKUP_H
#define CLI_BACKUP_H

#include "bus/sqlite_archive.h"
#include "cli/connect.h"

enum { BACKUP_FILES = 2, BACKUP_FILE_SIZE_MAX = 1024 * 1024 };

/* What of the data folder is kept beside the log: "keys", "signin". */
extern const char *const backup_files[BACKUP_FILES];

struct backup {
    const struct command *command;
    struct log_options log;
    bool json;
    const char *archive;

    struct buffer path;      /* of the log */
    struct buffer made_path; /* what is being made; empty: nothing */
    struct installation installation;
    struct archive_facts facts;
    bool kept[BACKUP_FILES];
};

/* Reads the command line, finds the log's path and does the work. */
int backup_run(const struct command *command, int argc, char **argv, int (*work)(struct backup *));

/* "cannot VERB 'PATH': …" from errno; END_SYSTEM. */
int backup_failure(const struct backup *backup, const char *verb, const char *path);

const char *backup_data(const struct backup *backup); /* the data folder */
const char *backup_in_data(const struct backup *backup, const char *name, struct buffer *path);

/* Begins to make `of`: an empty file OF.SUFFIX, whose name is in made_path. Somebody who tries the
 * same meanwhile is told. */
int backup_make_empty(struct backup *backup, const char *of, const char *suffix, int mode);
/* And whatever SQLite and the bus put beside it. */
void backup_remove_made(const struct backup *backup);

/* "DONE 'ARCHIVE': …", or as JSON. */
void backup_print(const struct backup *backup, const char *done);

#endif
