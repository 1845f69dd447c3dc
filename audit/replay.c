/* 16: the core decides everything again. It is given the same state, made of the same events; the
 * same input; and the same time. */
#include "audit/book.h"

#include "services/checkout/checkout_service.h"
#include "services/reservations/reservations_service.h"
#include "services/shows/shows_service.h"

static const struct service_descriptor *const services[SERVICES] = {
    &shows_service, &reservations_service, &checkout_service};

static const struct service_descriptor *core_of(struct ledger *ledger, int service)
{
    if (ledger->state == NULL)
        ledger->state = services[service]->state_new();
    return services[service];
}

/* From here on its state is not that of the log, and to compare would say nothing. */
static void spoil(struct ledger *ledger)
{
    ledger->spoiled = true;
}

/* What was due before a record was appended was decided before that record. */
static void check_due(struct hearing *hearing, const struct service_descriptor *core)
{
    int64_t due_ms = core->due_at ? core->due_at(hearing->ledger->state) : INT64_MAX;
    if (due_ms <= hearing->cause->record.append_ms)
        BREACH(hearing, 16,
               "something was due %lld ms before its cause was appended, and was not "
               "decided first",
               (long long)(hearing->cause->record.append_ms - due_ms));
}

static bool decide_due(struct hearing *hearing, const struct service_descriptor *core,
                       struct message *outcome)
{
    int64_t at_ms = hearing->event->at_ms;
    int64_t due_ms = core->due_at ? core->due_at(hearing->ledger->state) : INT64_MAX;
    if (due_ms > at_ms) {
        BREACH(hearing, 16, "the core has nothing due by then");
        return false;
    }
    return core->due(hearing->ledger->state, at_ms, outcome);
}

static bool same_outcome(struct hearing *hearing, const struct message *outcome)
{
    struct audit *audit = hearing->audit;
    struct text value = hearing->page->record.value;
    if (outcome->type != hearing->event->type) {
        BREACH(hearing, 16, "the core decides %s", message_name(outcome->type));
        return false;
    }
    buffer_clear(&audit->bytes);
    codec_encode(outcome, &audit->bytes);
    struct text again = buffer_view(&audit->bytes);
    size_t at = 0;
    if (text_equal(again, value))
        return true;
    while (at < again.size && at < value.size && again.data[at] == value.data[at])
        at++;
    at = at > 20 ? at - 20 : 0;
    BREACH(hearing, 16, "the core says …%.60s… where the log says …%.*s…",
           at < again.size ? again.data + at : "",
           (int)(value.size - at < 60 ? value.size - at : 60), value.data + at);
    return false;
}

/* Whether the core decides the same; true also where it is not asked. */
static bool decides_the_same(struct hearing *hearing)
{
    struct audit *audit = hearing->audit;
    struct ledger *ledger = hearing->ledger;
    const struct service_descriptor *core = core_of(ledger, hearing->service);
    const struct message *event = hearing->event;
    struct message *outcome = &audit->again;
    bool internal = event->type == MESSAGE_Refused && event->code == code_internal;
    audit->counts.other_rules += ledger->rules != core->rules;
    if (ledger->rules != core->rules || internal)
        return true;
    if (!hearing->timer && hearing->input == NULL)
        return event->type == MESSAGE_Refused && hearing->cause; /* it never reached the core */
    outcome->arena = &audit->passing;
    if (hearing->input)
        check_due(hearing, core);
    bool any = hearing->input ? core->decide(ledger->state, hearing->input, event->at_ms, outcome)
                              : decide_due(hearing, core, outcome);
    audit->counts.replayed++;
    if (!any) {
        if (hearing->input)
            BREACH(hearing, 16, "the core has no outcome for it");
        return false;
    }
    return same_outcome(hearing, outcome);
}

void replay_outcome(struct hearing *hearing)
{
    struct ledger *ledger = hearing->ledger;
    if (ledger->spoiled || hearing->book->breached)
        return;
    if (!decides_the_same(hearing)) {
        spoil(ledger);
        return;
    }
    core_of(ledger, hearing->service)->apply(ledger->state, hearing->event);
}

void replay_skipped(struct audit *audit, struct book *book, int service, int partition,
                    const struct page *page, const struct message *input)
{
    struct ledger *ledger = &book->ledgers[service];
    const struct service_descriptor *core = core_of(ledger, service);
    struct place place = {-1, partition, page->offset};
    int64_t append_ms = page->record.append_ms;
    if (ledger->spoiled || book->breached || ledger->rules != core->rules ||
        input->type == MESSAGE_NONE)
        return;
    audit->again.arena = &audit->passing;
    audit->counts.replayed++;
    if (!core->decide(ledger->state, input,
                      append_ms > ledger->last_ms ? append_ms : ledger->last_ms, &audit->again))
        return;
    for (int i = 0; i < parts[service].input_count; i++)
        if (ledger->at[i] == page)
            place.topic = parts[service].inputs[i];
    breach_at(audit, 16, &place, append_ms, "the core answers it with %s, the log with nothing",
              message_name(audit->again.type));
    spoil(ledger);
}

void replay_release(struct book *book)
{
    for (int service = 0; service < SERVICES; service++)
        if (book->ledgers[service].state)
            services[service]->state_free(book->ledgers[service].state);
}
