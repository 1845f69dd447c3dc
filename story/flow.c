/* Finds the cause of each record by the place that its sd_source names. */
#include "story/flow.h"

#include "base/map.h"
#include "base/memory.h"

#include <stdio.h>

enum { PLACE_SIZE = 64 };

/* A step under the name of its place; the map keeps the key. */
struct named {
    char place[PLACE_SIZE];
};

static struct text name_of(const struct place *place, char out[PLACE_SIZE])
{
    snprintf(out, PLACE_SIZE, "%s/%d@%lld", topic_name(place->topic), place->partition,
             (long long)place->offset);
    return text_of(out);
}

static bool is_event(const struct flow_step *step)
{
    return topic_is_events(step->kept->place.topic);
}

/* ---- causes ---------------------------------------------------------------------------------- */
static void add_effect(struct flow_step *cause, struct flow_step *effect)
{
    effect->cause = cause;
    cause->effects = memory_append(cause->effects, cause->effect_count, effect);
    cause->effect_count++;
}

static void find_cause(struct flow_step *step, const struct map *steps)
{
    struct source source;
    char name[PLACE_SIZE];
    struct text text = record_header(&step->kept->record, "sd_source", NULL);
    if (!is_event(step))
        return;
    if (text.data == NULL || !source_parse(text, &source) || source.timer) {
        step->timer = true;
        return;
    }
    step->cause_place = (struct place){topic_named(source.topic), source.partition, source.offset};
    struct flow_step *cause = NULL;
    if (step->cause_place.topic >= 0)
        cause = map_find(steps, name_of(&step->cause_place, name));
    if (cause)
        add_effect(cause, step);
    else
        step->orphan = true;
}

static struct text header_of(const struct flow_step *step, const char *name)
{
    return record_header(&step->kept->record, name, NULL);
}

/* A command that nobody answered is most often one that was answered before. */
static void find_repeated(struct flow *flow, struct flow_step *step)
{
    struct text id = header_of(step, "ce_id"), value = step->kept->record.value;
    if (is_event(step) || step->effect_count)
        return;
    for (struct flow_step *other = flow->steps; other < flow->steps + flow->count; other++)
        if (other != step && !is_event(other) && other->effect_count &&
            other->kept->place.topic == step->kept->place.topic &&
            other->kept->type == step->kept->type &&
            ((id.size && text_equal(id, header_of(other, "ce_id"))) ||
             text_equal(value, other->kept->record.value))) {
            step->repeats = other;
            return;
        }
}

/* ---- order ----------------------------------------------------------------------------------- */
/* Each step once, whatever a hostile log names as its cause. */
static void put_in_order(struct flow *flow, struct flow_step *step, int depth, size_t *count)
{
    if (step->placed)
        return;
    step->placed = true;
    step->depth = depth;
    flow->order[(*count)++] = step;
    for (size_t i = 0; i < step->effect_count; i++)
        put_in_order(flow, step->effects[i], depth + 1, count);
}

static void order(struct flow *flow)
{
    size_t count = 0;
    for (size_t i = 0; i < flow->count; i++)
        if (flow->steps[i].cause == NULL)
            put_in_order(flow, &flow->steps[i], 0, &count);
    for (size_t i = 0; i < flow->count; i++)
        put_in_order(flow, &flow->steps[i], 0, &count);
}

void flow_build(struct flow *flow, const struct record_list *list)
{
    struct map steps = {0};
    *flow = (struct flow){.count = list->count};
    flow->steps = memory_new(list->count * sizeof *flow->steps);
    flow->order = memory_new(list->count * sizeof(struct flow_step *));
    struct named *names = memory_new(list->count * sizeof *names);
    for (size_t i = 0; i < list->count; i++) {
        flow->steps[i].kept = list->items[i];
        struct text name = name_of(&list->items[i]->place, names[i].place);
        if (map_find(&steps, name) == NULL)
            map_insert_take(&steps, name, &flow->steps[i]);
    }
    for (size_t i = 0; i < list->count; i++)
        find_cause(&flow->steps[i], &steps);
    for (size_t i = 0; i < list->count; i++)
        find_repeated(flow, &flow->steps[i]);
    order(flow);
    if (list->count)
        flow->began_ms = list->items[0]->append_ms;
    map_release(&steps);
    memory_free(names);
}

void flow_release(struct flow *flow)
{
    for (size_t i = 0; i < flow->count; i++)
        memory_free(flow->steps[i].effects);
    memory_free(flow->steps);
    memory_free(flow->order);
    *flow = (struct flow){0};
}

/* ---- who ------------------------------------------------------------------------------------- */
struct text flow_speaker(const struct kept *kept)
{
    struct text service = text_of(topic_name(kept->place.topic));
    service = text_cut(&service, '.');
    if (topic_is_events(kept->place.topic))
        return service;
    struct text source = record_header(&kept->record, "ce_source", NULL);
    if (source.size == 0)
        return text_of("a publisher");
    if (!text_starts(source, "stagedoor/"))
        return source;
    /* The edge speaks for the service it asks. */
    text_cut(&source, '/');
    return text_equal(source, service) ? text_of("edge") : source;
}
