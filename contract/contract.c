/* The rules of the choreography, one function each. */
#include "contract/contract.h"

#include "bus/topics.h"

enum { ENDS_MAX = 2 };

/* What is begun, and how it ends: at the latest by the timer of whoever began it. */
static const struct life {
    enum message_type begun;
    enum message_type by_timer;
    int end_count;
    enum message_type ends[ENDS_MAX]; /* by an input */
} lives[] = {
    {MESSAGE_SeatsHeld, MESSAGE_HoldExpired, 2, {MESSAGE_SeatsSold, MESSAGE_HoldReleased}},
    {MESSAGE_RefundRequested, MESSAGE_RefundFailed, 1, {MESSAGE_RefundCompleted}},
    {MESSAGE_ShowCancellationStarted, MESSAGE_ShowCancellationFinished, 0, {MESSAGE_NONE}},
};

struct contract {
    const struct service_descriptor *const *services;
    int count;
    struct buffer *out;
    int breaches;
};

/* ---- telling --------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void
breach(struct contract *contract, const char *service, const char *format, ...)
{
    va_list arguments;
    buffer_print(contract->out, "services/%s/%s_service.c:1: ", service, service);
    va_start(arguments, format);
    buffer_vprint(contract->out, format, arguments);
    va_end(arguments);
    buffer_byte(contract->out, '\n');
    contract->breaches++;
}

static const char *name_of(enum message_type type)
{
    return type == MESSAGE_NONE ? "the timer" : message_name(type);
}

/* ---- asking ---------------------------------------------------------------------------------- */

int contract_topic(enum message_type type)
{
    if (type == MESSAGE_NONE)
        return -1;
    enum speaker speaker = message_speaker(type);
    if (speaker == SPEAKER_any || speaker == SPEAKER_bus)
        return -1;
    return 2 * (int)speaker + (message_role(type) == ROLE_EVENT);
}

const struct service_reaction *contract_reaction(const struct service_descriptor *service,
                                                 enum message_type input)
{
    for (int i = 0; i < service->reaction_count; i++)
        if (service->reactions[i].input == input)
            return &service->reactions[i];
    return NULL;
}

static bool reads(const struct service_descriptor *service, int topic)
{
    for (int i = 0; i < service->input_count; i++)
        if (service->inputs[i] == topic)
            return true;
    return false;
}

static bool among(enum message_type type, const enum message_type *types, int count)
{
    for (int i = 0; i < count; i++)
        if (types[i] == type)
            return true;
    return false;
}

static bool is_final(const struct service_descriptor *service, enum message_type type)
{
    return among(type, service->finals, service->final_count);
}

/* How many services react to it; `*last` is one of them. */
static int listeners(const struct contract *contract, enum message_type type,
                     const struct service_descriptor **last)
{
    int count = 0;
    for (int i = 0; i < contract->count; i++) {
        if (contract_reaction(contract->services[i], type) == NULL)
            continue;
        *last = contract->services[i];
        count++;
    }
    return count;
}

static const struct service_descriptor *service_of(const struct contract *contract,
                                                   enum speaker speaker)
{
    for (int i = 0; i < contract->count; i++)
        if (contract->services[i]->speaker == speaker)
            return contract->services[i];
    return NULL;
}

/* Whether the service may say it, answering an input or, `timer`, by its timer. */
static bool may_say(const struct service_descriptor *service, enum message_type type, bool timer)
{
    for (int i = 0; i < service->reaction_count; i++) {
        const struct service_reaction *reaction = &service->reactions[i];
        if ((reaction->input == MESSAGE_NONE) == timer &&
            among(type, reaction->outcomes, reaction->outcome_count))
            return true;
    }
    return false;
}

/* ---- counted --------------------------------------------------------------------------------- */

/* The outcomes are counted by hand: rows behind the count are all zero, or the count is wrong. */
static void check_counted(struct contract *contract, const struct service_descriptor *service)
{
    static const enum message_type nothing[SERVICE_OUTCOMES_MAX];
    for (int i = 0; i < service->reaction_count; i++) {
        const struct service_reaction *reaction = &service->reactions[i];
        int count = reaction->outcome_count;
        if (count < 1 || count > SERVICE_OUTCOMES_MAX)
            breach(contract, service->name, "%s has %d outcomes; from 1 to %d are possible",
                   name_of(reaction->input), count, SERVICE_OUTCOMES_MAX);
        else if (memcmp(reaction->outcomes + count, nothing,
                        (size_t)(SERVICE_OUTCOMES_MAX - count) * sizeof *nothing) != 0)
            breach(contract, service->name, "%s has %d outcomes and lists more; count them again",
                   name_of(reaction->input), count);
    }
}

/* ---- own, timer, once ------------------------------------------------------------------------ */

static void check_own(struct contract *contract, int index)
{
    const struct service_descriptor *service = contract->services[index];
    int commands = 2 * (int)service->speaker, events = commands + 1;
    if (strcmp(service->name, speaker_name(service->speaker)) != 0)
        breach(contract, service->name, "speaks as '%s'; let name and speaker be the same",
               speaker_name(service->speaker));
    if (service->output != events)
        breach(contract, service->name, "writes to %s; let .output be %s",
               topic_name(service->output), topic_name(events));
    if (!reads(service, commands))
        breach(contract, service->name, "does not read its commands; put %s into .inputs",
               topic_name(commands));
    if (reads(service, service->output))
        breach(contract, service->name,
               "reads %s, which it writes itself: what it decided reaches it through apply; take "
               "the topic out of .inputs",
               topic_name(service->output));
    for (int i = 0; i < index; i++)
        if (contract->services[i]->speaker == service->speaker)
            breach(contract, service->name, "there are two services '%s'; one must go",
                   speaker_name(service->speaker));
}

/* A timer that is declared and never asked would be a deadline that never comes. */
static void check_timer(struct contract *contract, const struct service_descriptor *service)
{
    bool declared = contract_reaction(service, MESSAGE_NONE) != NULL;
    if (declared && (service->due_at == NULL || service->due == NULL))
        breach(contract, service->name,
               "declares outcomes of its timer and has none; give it .due_at and .due");
    if (!declared && (service->due_at || service->due))
        breach(contract, service->name,
               "has a timer that may say nothing; name its outcomes in a row of MESSAGE_NONE");
}

static void check_once(struct contract *contract, const struct service_descriptor *service)
{
    for (int i = 0; i < service->reaction_count; i++) {
        const struct service_reaction *reaction = &service->reactions[i];
        if (contract_reaction(service, reaction->input) != reaction)
            breach(contract, service->name, "has two rows for %s; make one of them",
                   name_of(reaction->input));
        for (int k = 0; k < reaction->outcome_count; k++)
            if (among(reaction->outcomes[k], reaction->outcomes, k))
                breach(contract, service->name, "%s has the outcome %s twice; once will do",
                       name_of(reaction->input), name_of(reaction->outcomes[k]));
    }
    for (int i = 0; i < service->final_count; i++)
        if (among(service->finals[i], service->finals, i))
            breach(contract, service->name, "declares %s final twice; once will do",
                   name_of(service->finals[i]));
    for (int i = 0; i < service->input_count; i++)
        for (int k = 0; k < i; k++)
            if (service->inputs[k] == service->inputs[i])
                breach(contract, service->name, "reads %s twice; once will do",
                       topic_name(service->inputs[i]));
}

/* ---- arrives, spoken ------------------------------------------------------------------------- */

static void check_arrives(struct contract *contract, const struct service_descriptor *service)
{
    bool used[TOPIC_COUNT] = {false};
    for (int i = 0; i < service->reaction_count; i++) {
        enum message_type input = service->reactions[i].input;
        int topic = input == MESSAGE_NONE ? -1 : contract_topic(input);
        if (input != MESSAGE_NONE && topic < 0)
            breach(contract, service->name,
                   "reacts to %s, which belongs to no service alone and never reaches a core; take "
                   "the row out",
                   message_name(input));
        else if (input != MESSAGE_NONE && !reads(service, topic))
            breach(
                contract, service->name,
                "reacts to %s, which is said on %s; put that topic into .inputs, or take the row "
                "out",
                message_name(input), topic_name(topic));
        if (topic >= 0)
            used[topic] = true;
    }
    for (int i = 0; i < service->input_count; i++)
        if (!used[service->inputs[i]])
            breach(contract, service->name,
                   "reads %s and reacts to nothing there; take the topic out of .inputs",
                   topic_name(service->inputs[i]));
}

static void check_spoken(struct contract *contract, const struct service_descriptor *service)
{
    for (int i = 0; i < service->reaction_count; i++) {
        const struct service_reaction *reaction = &service->reactions[i];
        for (int k = 0; k < reaction->outcome_count; k++) {
            enum message_type outcome = reaction->outcomes[k];
            if (outcome != MESSAGE_Refused && contract_topic(outcome) != service->output)
                breach(contract, service->name,
                       "answers %s with %s, which is no event of its own; name one of %s",
                       name_of(reaction->input), name_of(outcome), topic_name(service->output));
        }
    }
    for (int i = 0; i < service->final_count; i++)
        if (contract_topic(service->finals[i]) != service->output)
            breach(contract, service->name,
                   "declares %s final, which is no event of its own; take it out of the finals",
                   name_of(service->finals[i]));
}

/* ---- heard, produced, taken ------------------------------------------------------------------ */

static void check_event(struct contract *contract, enum message_type type)
{
    const struct service_descriptor *listener = NULL;
    const struct service_descriptor *speaker = service_of(contract, message_speaker(type));
    const char *home = speaker_name(message_speaker(type));
    int heard = listeners(contract, type, &listener);
    bool final = speaker && is_final(speaker, type);
    if (heard == 0 && !final)
        breach(contract, home,
               "says %s and no service hears it; let one react to it, or put it into the finals",
               message_name(type));
    if (heard > 0 && final)
        breach(contract, home, "declares %s final, but %s reacts to it; take it out of the finals",
               message_name(type), listener->name);
    if (speaker == NULL || (!may_say(speaker, type, false) && !may_say(speaker, type, true)))
        breach(contract, home,
               "never says %s; make it the outcome of a reaction, or take the message out of "
               "schemas/messages.def",
               message_name(type));
}

static void check_command(struct contract *contract, enum message_type type)
{
    const struct service_descriptor *taker = NULL;
    const char *home = speaker_name(message_speaker(type));
    int taken = listeners(contract, type, &taker);
    if (taken != 1) {
        breach(contract, home,
               "the command %s is taken by %d services; let exactly one react to it",
               message_name(type), taken);
        return;
    }
    const struct service_reaction *reaction = contract_reaction(taker, type);
    bool refused = among(MESSAGE_Refused, reaction->outcomes, reaction->outcome_count);
    if (taker->speaker != message_speaker(type))
        breach(contract, taker->name, "takes the command %s, which is for %s; take the row out",
               message_name(type), home);
    if (!refused)
        breach(contract, taker->name,
               "cannot refuse the command %s, and every command may be wrong; add Refused to its "
               "outcomes",
               message_name(type));
    if (reaction->outcome_count <= refused)
        breach(contract, taker->name,
               "the command %s can only be refused; name what happens when it is right",
               message_name(type));
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void check_life(struct contract *contract, const struct life *life)
{
    const char *home = speaker_name(message_speaker(life->begun));
    const struct service_descriptor *service = service_of(contract, message_speaker(life->begun));
    if (service == NULL || !may_say(service, life->by_timer, true))
        breach(contract, home,
               "says %s, and its timer never says %s: what is begun might never end; add that to "
               "the outcomes of MESSAGE_NONE",
               message_name(life->begun), message_name(life->by_timer));
    for (int i = 0; i < life->end_count; i++)
        if (service == NULL || !may_say(service, life->ends[i], false))
            breach(contract, home, "says %s, and no input of it leads to the end %s; declare which",
                   message_name(life->begun), message_name(life->ends[i]));
}

/* ---- quiet ----------------------------------------------------------------------------------- */

/* A walk along "leads to": the events it came by, and those it need not visit again. */
struct walk {
    struct contract *contract;
    enum message_type path[MESSAGE_COUNT];
    int depth;
    bool done[MESSAGE_COUNT];
};

static void tell_cycle(const struct walk *walk, int from)
{
    struct buffer path = {0};
    enum message_type first = walk->path[from];
    for (int i = from; i < walk->depth; i++)
        buffer_print(&path, "%s, ", message_name(walk->path[i]));
    breach(walk->contract, speaker_name(message_speaker(first)),
           "%s leads to itself: %s%s; nothing would ever end it, so let a command or a timer stand "
           "in between",
           message_name(first), path.data, message_name(first));
    buffer_release(&path);
}

static void walk_from(struct walk *walk, enum message_type event)
{
    for (int i = 0; i < walk->depth; i++)
        if (walk->path[i] == event) {
            tell_cycle(walk, i);
            return;
        }
    if (event == MESSAGE_NONE || walk->done[event])
        return;
    walk->path[walk->depth++] = event;
    for (int i = 0; i < walk->contract->count; i++) {
        const struct service_reaction *reaction =
            contract_reaction(walk->contract->services[i], event);
        for (int k = 0; reaction && k < reaction->outcome_count; k++)
            walk_from(walk, reaction->outcomes[k]);
    }
    walk->depth--;
    walk->done[event] = true;
}

static void check_quiet(struct contract *contract)
{
    struct walk walk = {.contract = contract};
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (message_role((enum message_type)type) == ROLE_EVENT)
            walk_from(&walk, (enum message_type)type);
}

/* ---- all of it ------------------------------------------------------------------------------- */

int contract_check(const struct service_descriptor *const *services, int count,
                   struct buffer *breaches)
{
    struct contract contract = {services, count, breaches, 0};
    for (int i = 0; i < count; i++)
        check_counted(&contract, services[i]);
    if (contract.breaches)
        return contract.breaches;
    for (int i = 0; i < count; i++) {
        check_own(&contract, i);
        check_timer(&contract, services[i]);
        check_once(&contract, services[i]);
        check_arrives(&contract, services[i]);
        check_spoken(&contract, services[i]);
    }
    for (int i = 0; i < MESSAGE_COUNT; i++) {
        enum message_type type = (enum message_type)i;
        if (message_role(type) == ROLE_COMMAND)
            check_command(&contract, type);
        else if (contract_topic(type) >= 0)
            check_event(&contract, type);
    }
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++)
        check_life(&contract, &lives[i]);
    check_quiet(&contract);
    return contract.breaches;
}
