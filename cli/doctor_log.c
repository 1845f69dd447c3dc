/* The log: where it lies, whether it is fit, who is at work on it, and what its clock shows. */
#include "base/clock.h"
#include "base/version.h"
#include "cli/doctor.h"
#include "story/words.h"

#include <stdio.h>
#include <string.h>

enum { CLOCK_AHEAD_MS = 2000, CLOCK_BACK_MS = 1000, WAITING_LONG_MS = 60 * 1000, NAME_MAX = 40 };

/* ---- from outside ---------------------------------------------------------------------------- */
static void take_finding(void *context, const struct bus_finding *finding)
{
    struct doctor *doctor = context;
    doctor_find(doctor, finding->state, finding->mend, "%s", finding->text);
}

/* Errors of the bus end with what to do: "…; try: COMMAND", or just "…; WHAT". */
static void tell_error(struct doctor *doctor, const struct bus_error *error)
{
    struct bus_finding finding = {.state = BUS_GRAVE};
    char *cut;
    snprintf(finding.text, sizeof finding.text, "%s", error->text);
    cut = strstr(finding.text, "; try: ");
    size_t skip = strlen("; try: ");
    if (cut == NULL) {
        cut = strstr(finding.text, "; ");
        skip = strlen("; ");
    }
    if (cut) {
        snprintf(finding.mend, sizeof finding.mend, "%s", cut + skip);
        *cut = '\0';
    }
    take_finding(doctor, &finding);
}

void doctor_bus(struct doctor *doctor)
{
    struct buffer url = {0};
    struct bus_error error;
    struct bus_options options = bus_settings_options(&doctor->log.bus, "doctor");
    doctor->reader = (struct log_reader){.command = doctor->command};
    if (bus_settings_would_make(log_url(&doctor->log, &url)))
        doctor_find(doctor, BUS_GRAVE, "stagedoor topics create, or stagedoor up",
                    "there is no log at '%s'", url.data);
    else if (bus_open(&doctor->reader.bus, url.data, &options, &error) != BUS_OK)
        tell_error(doctor, &error);
    else
        doctor_find(doctor, BUS_FINE, "", "'%s' answers", url.data);
    buffer_release(&url);
}

void doctor_place(struct doctor *doctor)
{
    const struct bus_examination examination = {take_finding, doctor};
    if (doctor->reader.bus)
        bus_examine(doctor->reader.bus, &examination);
}

/* ---- the reading ----------------------------------------------------------------------------- */
static void watch_clock(struct doctor *doctor, int64_t last_ms[TOPIC_COUNT][PARTITIONS_MAX],
                        const struct follower_item *item)
{
    int64_t *last = &last_ms[item->place.topic][item->place.partition];
    int64_t append_ms = item->record->append_ms;
    if (*last - append_ms > doctor->back_ms) {
        doctor->back_ms = *last - append_ms;
        doctor->back_place = item->place;
    }
    if (append_ms > doctor->newest_ms)
        doctor->newest_ms = append_ms;
    *last = append_ms;
}

static void read_log(struct doctor *doctor)
{
    static int64_t last_ms[TOPIC_COUNT][PARTITIONS_MAX];
    const struct log_wish wish = {.progress = true};
    struct log_reader *reader = &doctor->reader;
    enum log_step step;
    log_reader_restart(reader, &wish);
    while ((step = log_reader_next(reader)) == LOG_ITEM) {
        watch_clock(doctor, last_ms, &reader->item);
        owners_take(&doctor->owners, reader->news, &reader->item);
    }
    doctor->now_ms = clock_wall_ms();
    doctor->was_read = step == LOG_END;
    if (reader->lost || !doctor->was_read)
        doctor_find(doctor, BUS_GRAVE, "stagedoor verify; docs/runbook.md, 'Nothing is sold …'",
                    "the log is not what it was, or does not answer: see the line above");
}

void doctor_topics(struct doctor *doctor)
{
    struct bus_error error;
    struct installation *installation = &doctor->reader.installation;
    if (doctor->reader.bus == NULL)
        return;
    if (installation_open(doctor->reader.bus, false, 0, installation, &error) != BUS_OK) {
        tell_error(doctor, &error);
        return;
    }
    doctor_find(doctor, BUS_FINE, "", "installation %s, %d partitions, fit to sell from",
                installation->id, installation->partition_count);
    doctor->owners.partition_count = installation->partition_count;
    read_log(doctor);
}

/* ---- who is at work -------------------------------------------------------------------------- */
static const char *const begin_service[SERVICES] = {"stagedoor-shows --bus URL",
                                                    "stagedoor-reservations --bus URL",
                                                    "stagedoor-checkout --bus URL"};

static void look_at_owner(struct doctor *doctor, int service, int partition)
{
    struct owner_look look = owners_look(&doctor->owners, service, partition, doctor->now_ms);
    struct buffer who = {0}, span = {0};
    words_safe(&who, look.owner->instance, NAME_MAX);
    words_span(&span, look.waiting_ms);
    if (look.state == OWNER_NOBODY)
        doctor_find(doctor, look.waiting_count ? BUS_GRAVE : BUS_NOTE, begin_service[service],
                    "nobody has ever owned %s/%d, %lld inputs wait", parts[service].name, partition,
                    (long long)look.waiting_count);
    else if (look.state == OWNER_SILENT)
        doctor_find(doctor, BUS_GRAVE, "start it again; docs/runbook.md, 'Nothing is sold …'",
                    "%s owns %s/%d and is silent: %lld inputs wait, the oldest for %s",
                    who.data ? who.data : "?", parts[service].name, partition,
                    (long long)look.waiting_count, span.data);
    else if (look.waiting_ms > WAITING_LONG_MS)
        doctor_find(doctor, BUS_WRONG, "stagedoor owners; more instances, if it goes on",
                    "%s is behind in %s/%d: %lld inputs wait, the oldest for %s",
                    who.data ? who.data : "?", parts[service].name, partition,
                    (long long)look.waiting_count, span.data);
    if (look.changes_lately >= OWNER_CHANGES_MANY)
        doctor_find(doctor, BUS_WRONG,
                    "look into the services' logs for 'fenced' and 'stepping down'; do two have "
                    "the same --group-instance?",
                    "%s/%d changed its owner %lld times in 10 minutes", parts[service].name,
                    partition, (long long)look.changes_lately);
    buffer_release(&who);
    buffer_release(&span);
}

void doctor_owners(struct doctor *doctor)
{
    size_t before = doctor->count;
    if (!doctor->was_read)
        return;
    for (int service = 0; service < SERVICES; service++)
        for (int partition = 0; partition < doctor->owners.partition_count; partition++)
            look_at_owner(doctor, service, partition);
    if (doctor->count == before)
        doctor_find(doctor, BUS_FINE, "", "every partition has its owners, and nothing waits long");
}

/* Two builds whose cores decide differently must not be at work at once for long: what one decided
 * the other would not. */
void doctor_builds(struct doctor *doctor)
{
    size_t before = doctor->count;
    if (!doctor->was_read)
        return;
    for (int service = 0; service < SERVICES; service++) {
        const struct owner *first = NULL;
        for (int partition = 0; partition < doctor->owners.partition_count; partition++) {
            const struct owner *owner =
                owners_look(&doctor->owners, service, partition, doctor->now_ms).owner;
            if (owner->claim < 0)
                continue;
            first = first ? first : owner;
            if (owner->rules == first->rules)
                continue;
            doctor_find(doctor, BUS_WRONG, "bring all instances to one version",
                        "two builds of %s with other rules (%lld and %lld) are at work",
                        parts[service].name, (long long)first->rules, (long long)owner->rules);
            break;
        }
        if (first && !text_is(first->version, STAGEDOOR_VERSION))
            doctor_find(doctor, BUS_NOTE, "", "%s is of version %.*s, this is %s",
                        parts[service].name, TEXT_PRINT(first->version), STAGEDOOR_VERSION);
    }
    if (doctor->count == before)
        doctor_find(doctor, BUS_FINE, "", "all owners are of version %s", STAGEDOOR_VERSION);
}

/* ---- the clock ------------------------------------------------------------------------------- */
void doctor_clocks(struct doctor *doctor)
{
    struct buffer ahead = {0}, back = {0}, place = {0};
    if (!doctor->was_read)
        return;
    int64_t ahead_ms = doctor->newest_ms - doctor->now_ms;
    words_span(&ahead, ahead_ms);
    words_span(&back, doctor->back_ms);
    place_print(&doctor->back_place, &place);
    if (ahead_ms > CLOCK_AHEAD_MS)
        doctor_find(doctor, BUS_WRONG, "keep both in time: timedatectl; chronyc tracking",
                    "the log's clock is %s ahead of this machine's, or was: sales open and holds "
                    "end by it",
                    ahead.data);
    if (doctor->back_ms > CLOCK_BACK_MS)
        doctor_find(doctor, BUS_NOTE, "keep the broker's clock in time: chronyc tracking",
                    "the log's clock was set back by %s before %s; nothing is lost by that",
                    back.data, place.data);
    if (ahead_ms <= CLOCK_AHEAD_MS && doctor->back_ms <= CLOCK_BACK_MS)
        doctor_find(doctor, BUS_FINE, "", "the log's clock is not ahead of this machine's");
    buffer_release(&ahead);
    buffer_release(&back);
    buffer_release(&place);
}
