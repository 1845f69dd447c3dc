/* Folders, disks and ports. */
#include "cli/doctor.h"

#include "cli/files.h"
#include "cli/web.h"
#include "keys/keys_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MB = 1024 * 1024, DISK_GRAVE_MB = 100, DISK_WRONG_MB = 1024, ASK_TIMEOUT_MS = 2000 };

static const char *data_folder(const struct doctor *doctor)
{
    return doctor->log.data ? doctor->log.data : DATA_DEFAULT;
}

/* ---- the data folder ------------------------------------------------------------------------- */
static void look_at_secret(struct doctor *doctor, const char *name)
{
    struct buffer path = {0}, mend = {0};
    struct stat file;
    buffer_print(&path, "%s/%s", data_folder(doctor), name);
    buffer_print(&mend, "chmod 600 %s", path.data);
    if (stat(path.data, &file) == 0 && (file.st_mode & 077) != 0)
        doctor_find(doctor, BUS_GRAVE, mend.data,
                    "'%s' can be read by others: whoever has it is "
                    "admin",
                    path.data);
    buffer_release(&path);
    buffer_release(&mend);
}

static void look_at_keys(struct doctor *doctor)
{
    static struct keys keys;
    char error[KEYS_ERROR_SIZE];
    struct buffer path = {0};
    buffer_print(&path, "%s/keys", data_folder(doctor));
    bool there = getenv("STAGEDOOR_KEYS") || file_exists(path.data);
    if (!there)
        doctor_find(doctor, BUS_NOTE, "", "no keys in '%s' yet: the first edge makes them",
                    data_folder(doctor));
    else if (keys_load(data_folder(doctor), false, &keys, error))
        doctor_find(doctor, BUS_FINE, "", "%d API keys, %d signing keys", keys.api_count,
                    keys.signing_count);
    else
        doctor_find(doctor, BUS_GRAVE, "stagedoor keys list", "no edge can start: %s", error);
    buffer_release(&path);
}

void doctor_folder(struct doctor *doctor)
{
    const char *folder = data_folder(doctor);
    struct buffer mend = {0};
    struct stat there;
    buffer_print(&mend, "chmod 700 %s", folder);
    if (stat(folder, &there) != 0) {
        doctor_find(doctor, BUS_NOTE, "say --data DIR",
                    "'%s': %s; what lies in it is not looked at", folder, strerror(errno));
    } else {
        if (access(folder, R_OK | W_OK | X_OK) != 0)
            doctor_find(doctor, BUS_WRONG, "chown it to the user of the services",
                        "'%s' cannot be written by this user: %s", folder, strerror(errno));
        if ((there.st_mode & 022) != 0)
            doctor_find(doctor, BUS_WRONG, mend.data, "'%s' can be changed by others", folder);
        look_at_secret(doctor, "keys");
        look_at_secret(doctor, "signin");
        look_at_keys(doctor);
    }
    buffer_release(&mend);
}

/* ---- the disk -------------------------------------------------------------------------------- */
static void look_at_space(struct doctor *doctor, const char *path)
{
    struct statvfs disk;
    if (statvfs(path, &disk) != 0)
        return;
    int64_t free_mb = (int64_t)(disk.f_bavail * disk.f_frsize / MB);
    bool no_inodes = disk.f_files > 0 && disk.f_favail < 100;
    enum bus_state state = free_mb < DISK_GRAVE_MB || no_inodes ? BUS_GRAVE
                           : free_mb < DISK_WRONG_MB            ? BUS_WRONG
                                                                : BUS_FINE;
    doctor_find(doctor, state,
                state == BUS_FINE ? "" : "free some space; nothing is sold when the disk is full",
                "%lld MB free where '%s' lies%s", (long long)free_mb, path,
                no_inodes ? ", and no inodes" : "");
}

void doctor_disk(struct doctor *doctor)
{
    static const char scheme[] = "sqlite:";
    struct buffer url = {0};
    look_at_space(doctor, data_folder(doctor));
    /* The log may lie elsewhere. */
    if (doctor->log.bus.url && strncmp(log_url(&doctor->log, &url), scheme, strlen(scheme)) == 0)
        look_at_space(doctor, url.data + strlen(scheme));
    buffer_release(&url);
}

/* ---- the edge -------------------------------------------------------------------------------- */
void doctor_edge(struct doctor *doctor)
{
    char why[WEB_ERROR_SIZE];
    struct web *web = web_open(doctor->url, NULL);
    struct web_call call = {.method = "GET", .path = "/readyz", .timeout_ms = ASK_TIMEOUT_MS};
    struct web_answer answer = web_do(web, &call);
    bool ours = answer.status == 200 || answer.status == 503;
    if (answer.status == 0)
        doctor_find(doctor, BUS_NOTE, "say --url URL", "no edge answers at %s: %s", doctor->url,
                    answer.error);
    else if (!ours)
        doctor_find(doctor, BUS_WRONG, "stop it, or start the edge with another --listen",
                    "somebody else answers at %s", doctor->url);
    else if (answer.status == 503)
        doctor_find(doctor, BUS_GRAVE, "stagedoor owners", "the edge at %s is not ready: %s",
                    doctor->url, web_problem(&answer, why));
    else
        doctor_find(doctor, BUS_FINE, "", "the edge at %s is ready", doctor->url);
    web_close(web);
}
