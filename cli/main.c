/* stagedoor: one program to run the theatre and to look into it. A command is one row here and one
 * file beside this one. */
#include "base/manual.h"
#include "base/version.h"
#include "cli/commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static int command_version(const struct command *command, int argc, char **argv);
static int command_help(const struct command *command, int argc, char **argv);

static const struct command commands[] = {
    {"up", "", "run everything on this machine until Ctrl-C",
     "Starts shows, reservations, checkout and the edge, restarts what dies, prints the address\n"
     "when sales can begin. Nothing else to install: the default bus is one SQLite file.\n",
     command_up},
    {"ls", "[WHO]", "who plays here, since when, and what they take of the machine",
     "WHO here and below: a part (edge), an instance (edge-2), its number, or all. Also: list,\n"
     "status. What waits for its next start after it died has a state of that name.\n",
     command_ls},
    {"describe", "WHO", "all there is to know of an instance", "Also: show.\n", command_describe},
    {"monit", "", "the house as it is, once a second: rates, lag, p99, memory, refusals", NULL,
     command_monit},
    {"start", "WHO", "start what was stopped, or more of a part", NULL, command_start},
    {"stop", "WHO", "end it; it stays in the list", NULL, command_order},
    {"delete", "WHO", "end it, and take it off the list", NULL, command_order},
    {"restart", "WHO", "end it and start it again, all at once", NULL, command_order},
    {"reload", "WHO", "start it again, one after the other, so that nobody notices",
     "One instance more is started first. Each waits until the one before is ready; if one does\n"
     "not become ready, the others are left as they were.\n",
     command_order},
    {"scale", "PART COUNT", "so many of a part", "COUNT is 4, +1, -1, or max: as many as cores.\n",
     command_scale},
    {"logs", "[WHO]", "what they said", NULL, command_logs},
    {"loglevel", "WHO [LEVEL]", "how much they log, changed while they run",
     "LEVEL: debug, info, warning, error. Until the instance is started again.\n",
     command_loglevel},
    {"flush", "", "empty the logs", NULL, command_for_all},
    {"down", "", "end what `up -d` began", NULL, command_for_all},
    {"save", "", "note how the house runs now, for resurrect",
     "What was given by the environment alone (keys, secrets) is not written down.\n",
     command_save},
    {"resurrect", "", "begin the house again as it was saved", NULL, command_resurrect},
    {"startup", "", "write a systemd unit that resurrects the house",
     "As root for the whole machine, else for you.\n", command_startup},
    {"ready", "", "wait until the edge answers that it is ready", NULL, command_ready},
    {"seed", "", "load the sample's three shows, once", NULL, command_seed},
    {"topics", "create|check|acls", "make the six topics, look whether they are fit, guard them",
     "  acls  print a script for Kafka's own kafka-acls.sh: a user for each program, who may do\n"
     "        what that program does and nothing more\n",
     command_topics},
    {"publish", "TYPE JSON | TOPIC TYPE KEY JSON", "append one command to the log",
     "TYPE is the short name (RequestReservation) or the whole ce_type; JSON '-' is standard "
     "input.\nOf TYPE JSON alone, the topic follows from the type and the key is the show_id.\n"
     "  stagedoor publish --example CreateShow | stagedoor publish CreateShow -\n",
     command_publish},
    {"tail", "[TOPIC…]", "print what is in the log, as the services read it", NULL, command_tail},
    {"flow", "ID", "what happened to a reservation or a show, and what came of what",
     "ID is a reservation_id, ticket_id, payment_id, refund_id or show_id. Each line: the time "
     "since\n"
     "the first, the time since its cause, who said it, in words, and where it is in the log. Of "
     "a\n"
     "show: what is about the show itself, and how many reservations there are of each status.\n",
     command_flow},
    {"refused", "[show|republish PLACE]", "what the services refused, and why; saying it again",
     "Nothing refused is lost: the record stays in its topic, and what is listed here is a view "
     "of\n"
     "the log. PLACE is TOPIC/PARTITION@OFFSET, as the list prints it.\n"
     "  show       the record itself, headers and value\n"
     "  republish  publish it again, in the partition its show belongs to\n"
     "Services remember the ids of commands they answered, refusals too, and have no second "
     "outcome\n"
     "for the same id: so what is published again gets a new ce_id, unless --same-id. A command "
     "that\n"
     "is known by what it is about (RequestReservation by its reservation_id, StartCheckout by "
     "its\n"
     "payment_id) stays a repeat once that was decided; what is about a show that does not exist "
     "is\n"
     "answered anew each time.\n",
     command_refused},
    {"at", "SHOW", "a show as it stood at an offset or a time: seats, sale, reservations",
     "Without --offset and --time: now.\n", command_at},
    {"verify", "", "read the whole log and say whether it holds",
     "Checks every record against the invariants of the choreography, by a fold of its own. Exit\n"
     "code 0: no breach; 1: there is one, and the first is told with its place.\n",
     command_verify},
    {"doctor", "", "what is wrong with this installation, and what mends it",
     "Looks at folders, disk, bus, topics, owners, builds, clocks and the edge, and changes "
     "nothing. "
     "The\ngravest comes first. Exit code 0: all is well, or only worth a note; 1: something is "
     "wrong.\n",
     command_doctor},
    {"owners", "", "who owns which partition, since when, and what waits for it",
     "By the log: the last claim of each partition, what was accepted since, and the inputs behind "
     "its\n"
     "last positions that may need an answer. ready: nothing waits (an owner with nothing to do "
     "says\n"
     "nothing, so this is no proof of life); recovering: claimed, nothing said yet; behind: at "
     "work;\n"
     "silent: something waits and nothing was said for a minute.\n",
     command_owners},
    {"pause", "--all | SHOW…", "stop selling: every show at once, or some",
     "No seats are taken from then on, at any channel; what is held may still be paid and "
     "cancelled. Goes\nstraight into the log, so no edge is needed. Each show's answer is awaited "
     "and "
     "told.\n",
     command_pause},
    {"resume", "--all | SHOW…", "sell again what pause --all stopped, or some shows",
     "--all opens the shows whose last word is that of pause --all. What somebody paused before "
     "it, "
     "or since,\nstays paused: the log says who it was.\n",
     command_resume},
    {"backup", "FILE", "the log and the keys in one file, while everything runs",
     "Of a log in an SQLite file. FILE is a database itself, with the log as it was at one moment; "
     "it holds\nthe keys, so keep it as you keep them. Registers are read anew from the log.\n",
     command_backup},
    {"restore", "FILE", "a new installation of a backup",
     "Overwrites nothing; the log is verified before it gets its name. What is made is another log "
     "from\nthe backup's moment on, with an id of its own: edges with a register of the old one "
     "read "
     "theirs anew,\nand who takes payments is asked to look.\n",
     command_restore},
    {"export", "FILE | -", "the log as lines of JSON, from any bus, while everything runs",
     "Every record at its place and with its time, counted or not, up to a moment at which nothing "
     "in "
     "it\nwas caused by something behind it. Names and addresses of customers are in it; keys are "
     "not.\n",
     command_export},
    {"import", "FILE | -", "make the log of an export, on any bus",
     "For moving, as from an SQLite file to Kafka: stop everything, export, import, start on the "
     "new "
     "log,\nand never again on the old one: both have the same installation id. Places and times "
     "stay "
     "what they\nwere, so edges, cursors and payment desks go on from where they are, with the "
     "same "
     "--data. The number\nof partitions stays as well. The topics must not be there yet; what was "
     "written is compared with the\nexport before anybody can start on it.\n",
     command_import},
    {"keys", "list | add NAME ROLE | revoke NAME | rotate | forget ID",
     "who may do what at the edges, changed while they run",
     "ROLE is public, boxoffice or admin; a new key is printed once. `rotate` makes a signing key "
     "for\n"
     "the secrets of reservations and the codes of tickets; what older ones signed is believed "
     "until\n"
     "they are forgotten. Keys from the environment (STAGEDOOR_KEYS) are changed there.\n",
     command_keys},
    {"bench", "reserve", "load the edge, and check that nothing was sold twice", NULL,
     command_bench},
    {"version", "", "print the version", NULL, command_version},
    {"help", "[COMMAND]", "print this, or what a command takes", NULL, command_help},
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

/* Names that users of other process managers type. */
static const struct {
    const char *name, *command;
} aliases[] = {{"list", "ls"}, {"status", "ls"}, {"show", "describe"}};

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(aliases[i].name, name) == 0)
            name = aliases[i].command;
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void print_help(FILE *out)
{
    fprintf(out, "usage: stagedoor COMMAND [OPTIONS]\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n`stagedoor help COMMAND` says more. Exit codes: 0 yes, 1 no, 100 wrong usage, "
                 "111 could not.\n");
}

/* stagedoor(1); each command has a page of its own. */
static void print_manual(void)
{
    struct buffer out = {0};
    manual_name("stagedoor", 1, text_of("run the theatre, and look into it"), &out);
    buffer_string(&out, ".Sh SYNOPSIS\n.Nm\n.Ar COMMAND\n.Op Ar OPTIONS\n"
                        ".Sh DESCRIPTION\nThe commands are:\n.Bl -tag -width Ds\n");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        buffer_print(&out, ".It Xr stagedoor-%s 1\n", commands[i].name);
        manual_text(text_of(commands[i].summary), &out);
    }
    buffer_string(&out, ".El\n");
    fputs(out.data, stdout);
    buffer_release(&out);
}

static void print_words(void)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        printf("%s\t-\t%s\n", commands[i].name, commands[i].summary);
}

static int command_version(const struct command *command, int argc, char **argv)
{
    struct operands operands;
    int end;
    if (!command_options(command, NULL, 0, argc, argv, &operands, &end))
        return end;
    printf("stagedoor %s\n", STAGEDOOR_VERSION);
    return END_OK;
}

static int command_help(const struct command *command, int argc, char **argv)
{
    struct operands operands;
    int end;
    if (!command_options(command, NULL, 0, argc, argv, &operands, &end))
        return end;
    if (operands.count == 0) {
        print_help(stdout);
        return END_OK;
    }
    const struct command *about = find(operands.items[0]);
    if (about == NULL)
        return command_fail(command, END_USAGE, "unknown command '%s'", operands.items[0]);
    char name[] = "stagedoor", help[] = "--help";
    char *line[] = {name, help, NULL};
    return about->run(about, 2, line);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_help(stderr);
        return END_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help=man") == 0 || strcmp(name, "--help=words") == 0) {
        (strcmp(name, "--help=man") == 0 ? print_manual : print_words)();
        return END_OK;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    const struct command *command = find(name);
    if (command == NULL) {
        fprintf(stderr, "stagedoor: unknown command '%.80s'; try: stagedoor help\n", argv[1]);
        return END_USAGE;
    }
    int end = command->run(command, argc - 1, argv + 1);
    if (fflush(stdout) != 0 && end == END_OK)
        end = END_SYSTEM;
    return end;
}
