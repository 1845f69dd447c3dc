/* An installation: what must be there before anyone plays. */
#include "cli/house.h"

#include "base/crc.h"
#include "base/folder.h"
#include "schemas/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const struct part house_parts[] = {{"shows", HOUSE_INSTANCES_MAX + 1},
                                   {"reservations", HOUSE_INSTANCES_MAX + 1},
                                   {"checkout", HOUSE_INSTANCES_MAX + 1},
                                   {"edge", HOUSE_INSTANCES_MAX + 1},
                                   {"paydesk", 1}};
_Static_assert(sizeof house_parts / sizeof *house_parts == HOUSE_PART_COUNT, "each has a row");
_Static_assert((HOUSE_PART_COUNT - 1) * (HOUSE_INSTANCES_MAX + 1) + 3 <= SUPERVISOR_CHILDREN_MAX,
               "ready, seed and the paydesk have room beside them");

int house_part_count(const struct house *house)
{
    return house->paydesk ? HOUSE_PART_COUNT : HOUSE_PART_COUNT - 1;
}

/* ---- before anything runs -------------------------------------------------------------------- */
/* One `up` a folder: the lock goes with the process. */
static int take_folder(struct house *house)
{
    char path[PATH_MAX + 300], real[PATH_MAX];
    if (!folder_make(house->log.data) || realpath(house->log.data, real) == NULL)
        return command_fail(house->command, END_SYSTEM, "cannot make folder '%s': %s",
                            house->log.data, strerror(errno));
    snprintf(path, sizeof path, "%s/up.lock", real);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0)
        return command_fail(house->command, END_SYSTEM, "cannot write '%s': %s", path,
                            strerror(errno));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0)
        return command_fail(house->command, END_SYSTEM,
                            "stagedoor is running already in folder '%s'; another: --data DIR",
                            house->log.data);
    if (ftruncate(lock, 0) == 0) /* for people who look */
        dprintf(lock, "%d\n", (int)getpid());
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    snprintf(path, sizeof path, "%s:%s", host, real);
    house->identity = crc32_of(path, strlen(path));
    return END_OK;
}

void house_program(const struct house *house, const char *name, struct buffer *out)
{
    buffer_clear(out);
    buffer_print(out, "%s/stagedoor%s%s", house->programs, name[0] ? "-" : "", name);
}

bool house_own_program(char out[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", out, PATH_MAX - 1);
    out[size > 0 ? size : 0] = '\0';
    return size > 0;
}

static int find_programs(struct house *house)
{
    const char *names[] = {"shows", "reservations", "checkout", "edge",
                           house->paydesk ? "paydesk" : "edge"};
    if (!house_own_program(house->programs))
        return command_fail(house->command, END_SYSTEM, "cannot find my own program: %s",
                            strerror(errno));
    *strrchr(house->programs, '/') = '\0';
    struct buffer path = {0};
    int end = END_OK;
    for (size_t i = 0; end == END_OK && i < sizeof names / sizeof *names; i++) {
        house_program(house, names[i], &path);
        if (access(path.data, X_OK) != 0)
            end = command_fail(house->command, END_SYSTEM, "cannot run '%s': %s; try: make all",
                               path.data, strerror(errno));
    }
    buffer_release(&path);
    return end;
}

static int make_admin_folder(const struct house *house)
{
    struct buffer path = {0};
    buffer_print(&path, "%s/" HOUSE_ADMIN_FOLDER, house->log.data);
    int end = folder_make(path.data)
                  ? END_OK
                  : command_fail(house->command, END_SYSTEM, "cannot make folder '%s': %s",
                                 path.data, strerror(errno));
    buffer_release(&path);
    return end;
}

static int open_doorways(struct house *house)
{
    char error[DOORWAY_TEXT_SIZE + 200];
    if (house->listen.count == 0)
        house->listen.items[house->listen.count++] = text_of("127.0.0.1:3000");
    if (house->listen.count > HOUSE_DOORWAYS_MAX)
        return command_fail(house->command, END_USAGE, "at most %d --listen", HOUSE_DOORWAYS_MAX);
    for (int i = 0; i < house->listen.count; i++) {
        struct doorway *doorway = &house->doorways[i];
        struct text text = house->listen.items[i];
        if (!doorway_parse(text, doorway))
            return command_fail(house->command, END_USAGE,
                                "'%.*s' is no address to listen on; like 127.0.0.1:3000",
                                TEXT_PRINT(text));
        house->doorway_count++;
        if (!doorway_open(doorway, error, sizeof error))
            return command_fail(house->command, END_SYSTEM, "%s", error);
    }
    return END_OK;
}

void house_close_doorways(struct house *house)
{
    for (int i = 0; i < house->doorway_count; i++)
        doorway_close(&house->doorways[i]);
}

/* The topics are made here, before anyone could run into their absence. */
static int make_log(struct house *house)
{
    struct installation installation;
    int end;
    struct bus *bus = log_open(house->command, &house->log, true, (int)house->partition_count,
                               &installation, &end);
    bus_close(bus);
    log_url(&house->log, &house->bus_url);
    return end == END_NO ? END_SYSTEM : end;
}

/* ---- as a whole ------------------------------------------------------------------------------ */
int house_open(struct house *house)
{
    int end;
    log_hand_on(&house->log);
    if ((end = find_programs(house)) == END_OK && (end = take_folder(house)) == END_OK &&
        (end = make_admin_folder(house)) == END_OK && (end = open_doorways(house)) == END_OK)
        end = make_log(house);
    return end;
}

void house_close(struct house *house)
{
    house_close_doorways(house);
    buffer_release(&house->bus_url);
}

static void put_argument(struct buffer *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    json_put_text(out, NULL, text_of(name));
    json_put_text(out, NULL, text_of(value));
}

void house_json(const struct house *house, struct buffer *out)
{
    char text[DOORWAY_TEXT_SIZE];
    json_put_open(out, NULL, '{');
    json_put_text(out, "url", text_of(doorway_url(&house->doorways[0], text)));
    json_put_text(out, "bus", buffer_view(&house->bus_url));
    json_put_text(out, "data", text_of(house->log.data));
    json_put_open(out, "parts", '[');
    for (int i = 0; i < HOUSE_PART_COUNT - 1; i++)
        json_put_text(out, NULL, text_of(house_parts[i].name));
    json_put_close(out, ']');
    json_put_open(out, "arguments", '[');
    put_argument(out, "--bus", house->bus_url.data);
    put_argument(out, "--data", house->log.data);
    put_argument(out, "--config", command_file()->path);
    put_argument(out, "--topic-prefix", house->log.bus.topic_prefix);
    for (int i = 0; i < house->doorway_count; i++)
        put_argument(out, "--listen", doorway_print(&house->doorways[i], true, text));
    for (int i = 0; i < house->edge_args.count; i++) {
        struct text copy = text_copy(house->edge_args.items[i]);
        put_argument(out, "--edge-arg", copy.data);
        text_free(&copy);
    }
    put_argument(out, "--paydesk", house->paydesk);
    json_put_close(out, ']');
    json_put_close(out, '}');
}
