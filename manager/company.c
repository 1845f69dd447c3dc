/* Who plays, and what is made of an order. */
#include "manager/company.h"

#include "base/memory.h"
#include "manager/company_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { COUNT_MAX = 1000000 };

/* ---- who is there ---------------------------------------------------------------------------- */
struct company *company_new(struct supervisor *supervisor, const struct part *parts, int count,
                            company_cast *cast, void *house)
{
    struct company *company = memory_new(sizeof *company);
    company->supervisor = supervisor;
    company->parts = parts;
    company->part_count = count;
    company->cast = cast;
    company->house = house;
    return company;
}

void company_free(struct company *company)
{
    memory_free(company);
}

const char *cues_name(const char *part, int number, char out[COMPANY_NAME_SIZE])
{
    snprintf(out, COMPANY_NAME_SIZE, "%.*s-%d", COMPANY_NAME_SIZE - 12, part, number);
    return out;
}

/* "edge-12" is number 12 of "edge"; 0: it is none of that part. */
static int number_in(const char *part, const char *child)
{
    size_t size = strlen(part);
    uint64_t number;
    if (strncmp(child, part, size) != 0 || child[size] != '-' ||
        !text_to_u64(text_of(child + size + 1), &number) || number == 0 || number > INT32_MAX)
        return 0;
    return (int)number;
}

static const struct part *part_named(const struct company *company, struct text name)
{
    for (int i = 0; i < company->part_count; i++)
        if (text_is(name, company->parts[i].name))
            return &company->parts[i];
    return NULL;
}

const struct part *company_part_of(const struct company *company, const char *child)
{
    for (int i = 0; i < company->part_count; i++)
        if (number_in(company->parts[i].name, child))
            return &company->parts[i];
    return NULL;
}

bool company_means(const struct company *company, struct text who, const struct child_look *child)
{
    const struct part *part = company_part_of(company, child->name);
    uint64_t number;
    return part != NULL &&
           (text_is(who, "all") || text_is(who, part->name) || text_is(who, child->name) ||
            (text_to_u64(who, &number) && number == (uint64_t)child->number));
}

/* The numbers of a part's instances, in order; as many as `numbers` gets. */
static int numbers_of(const struct company *company, const char *part,
                      int numbers[SUPERVISOR_CHILDREN_MAX])
{
    int count = 0;
    for (int i = 0; i < supervisor_count(company->supervisor); i++) {
        struct child_look look;
        supervisor_look(company->supervisor, i, &look);
        int number = number_in(part, look.name), at = count;
        if (number == 0)
            continue;
        for (; at > 0 && numbers[at - 1] > number; at--)
            numbers[at] = numbers[at - 1];
        numbers[at] = number;
        count++;
    }
    return count;
}

int company_count(const struct company *company, const char *part)
{
    int numbers[SUPERVISOR_CHILDREN_MAX];
    return part_named(company, text_of(part)) ? numbers_of(company, part, numbers) : -1;
}

/* The lowest number above `above` that nobody has. */
static int free_number(const struct company *company, const char *part, int above)
{
    char name[COMPANY_NAME_SIZE];
    int number = above + 1;
    while (supervisor_find(company->supervisor, cues_name(part, number, name)) >= 0)
        number++;
    return number;
}

void company_open(struct company *company, const char *part, int count)
{
    char name[COMPANY_NAME_SIZE];
    for (int number = 1; number <= count; number++)
        company->cast(company->house, part, number, cues_name(part, number, name));
}

/* ---- orders ---------------------------------------------------------------------------------- */
struct cue *cues_add(struct cue_sheet *sheet, enum cue_kind kind, const char *part, int number)
{
    struct cue *cue = &sheet->cues[sheet->count++];
    *cue = (struct cue){.kind = kind, .number = number};
    snprintf(cue->part, sizeof cue->part, "%s", part);
    cues_name(part, number, cue->name);
    return cue;
}

static bool runs(const struct child_look *look)
{
    return look->state == CHILD_RUNNING || look->state == CHILD_WAITING;
}

enum which { EVERYONE, WHO_RUNS, WHO_IS_OVER };

/* One cue for each who is meant, given together. */
static void cue_all(struct company *company, enum cue_kind kind, struct text who, enum which which)
{
    bool together = false;
    for (int i = 0; i < supervisor_count(company->supervisor); i++) {
        struct child_look look;
        supervisor_look(company->supervisor, i, &look);
        if (!company_means(company, who, &look) || (which == WHO_RUNS && !runs(&look)) ||
            (which == WHO_IS_OVER && look.state != CHILD_OVER))
            continue;
        const struct part *part = company_part_of(company, look.name);
        cues_add(&company->sheet, kind, part->name, number_in(part->name, look.name))->together =
            together;
        together = true;
    }
}

/* An understudy only if there may be one more. */
static void cue_reload(struct company *company, const struct part *part, struct text who)
{
    struct cue_sheet *sheet = &company->sheet;
    int numbers[SUPERVISOR_CHILDREN_MAX], understudy = free_number(company, part->name, 0);
    int count = numbers_of(company, part->name, numbers), begun = sheet->count;
    bool with = count < part->most;
    for (int i = 0; i < count; i++) {
        struct child_look look;
        char name[COMPANY_NAME_SIZE];
        supervisor_look(
            company->supervisor,
            supervisor_find(company->supervisor, cues_name(part->name, numbers[i], name)), &look);
        if (!company_means(company, who, &look) || !runs(&look))
            continue;
        if (with && sheet->count == begun)
            cues_add(sheet, CUE_BEGIN, part->name, understudy);
        cues_add(sheet, CUE_END, part->name, numbers[i]);
        cues_add(sheet, CUE_BEGIN, part->name, numbers[i]);
    }
    if (!with || sheet->count == begun)
        return;
    cues_add(sheet, CUE_END, part->name, understudy)->always = true;
    cues_add(sheet, CUE_FORGET, part->name, understudy)->always = true;
}

static void cue_scale(struct company *company, const struct part *part, int wanted)
{
    struct cue_sheet *sheet = &company->sheet;
    int numbers[SUPERVISOR_CHILDREN_MAX] = {0};
    int count = numbers_of(company, part->name, numbers), number = 0;
    for (int i = count; i < wanted; i++) {
        number = free_number(company, part->name, number);
        cues_add(sheet, CUE_BEGIN, part->name, number)->together = i > count;
    }
    for (int i = count - 1; i >= wanted; i--) {
        cues_add(sheet, CUE_END, part->name, numbers[i]);
        cues_add(sheet, CUE_FORGET, part->name, numbers[i]);
    }
}

static int core_count(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (int)cores : 1;
}

/* `less_of`: what a count below zero is counted from. false: it is no count. */
static bool read_count(struct text text, int now, int less_of, int *count)
{
    char sign = text.size ? text.data[0] : '\0';
    uint64_t number;
    *count = core_count();
    if (text_is(text, "max"))
        return true;
    if (sign == '+' || sign == '-')
        text = text_from(text.data + 1, text.size - 1);
    if (!text_to_u64(text, &number) || number > COUNT_MAX)
        return false;
    *count = sign == '+' ? now + (int)number : sign == '-' ? less_of - (int)number : (int)number;
    return true;
}

static enum company_order refuse(char error[COMPANY_ERROR_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum company_order refuse(char error[COMPANY_ERROR_SIZE], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, COMPANY_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return COMPANY_NOT_SO;
}

static enum company_order order_scale(struct company *company, struct text verb, struct text who,
                                      struct text text, char error[COMPANY_ERROR_SIZE])
{
    const struct part *part = part_named(company, who);
    int count;
    if (part == NULL)
        return refuse(error, "'%.*s' is no part; stagedoor ls says which there are",
                      TEXT_PRINT(who));
    int now = company_count(company, part->name);
    if (!read_count(text, now, text_is(verb, "start") ? core_count() : now, &count))
        return refuse(error, "'%.*s' is no count; like 4, +1, -1 or max", TEXT_PRINT(text));
    /* One place is left for an understudy. */
    int most = part->most > 1 ? part->most - 1 : part->most;
    if (count < 0 || count > most)
        return refuse(error, "of %s there can be 0 to %d, not %d", part->name, most, count);
    cue_scale(company, part, count);
    return COMPANY_BEGUN;
}

static bool anyone_meant(const struct company *company, struct text who)
{
    for (int i = 0; i < supervisor_count(company->supervisor); i++) {
        struct child_look look;
        supervisor_look(company->supervisor, i, &look);
        if (company_means(company, who, &look))
            return true;
    }
    return false;
}

static enum company_order make_sheet(struct company *company, struct text verb, struct text who,
                                     const struct text *count, char error[COMPANY_ERROR_SIZE])
{
    bool start = text_is(verb, "start");
    if (text_is(verb, "scale") && count == NULL)
        return refuse(error, "say how many: stagedoor scale PART COUNT");
    if (start)
        cue_all(company, CUE_BEGIN, who, WHO_IS_OVER);
    if (text_is(verb, "scale") || (start && count))
        return order_scale(company, verb, who, *count, error);
    if (start && part_named(company, who) && !anyone_meant(company, who))
        return order_scale(company, verb, who, text_of("1"), error);
    if (!anyone_meant(company, who))
        return refuse(error, "there is no '%.*s'; stagedoor ls says who is there", TEXT_PRINT(who));
    if (text_is(verb, "stop") || text_is(verb, "restart") || text_is(verb, "delete"))
        cue_all(company, CUE_END, who, WHO_RUNS);
    if (text_is(verb, "restart"))
        cue_all(company, CUE_BEGIN, who, EVERYONE);
    else if (text_is(verb, "delete"))
        cue_all(company, CUE_FORGET, who, EVERYONE);
    else if (text_is(verb, "reload"))
        for (int i = 0; i < company->part_count; i++)
            cue_reload(company, &company->parts[i], who);
    else if (!start && !text_is(verb, "stop"))
        return refuse(error, "'%.*s' is no order; stagedoor help lists them", TEXT_PRINT(verb));
    return COMPANY_BEGUN;
}

enum company_order company_order(struct company *company, struct text verb, struct text who,
                                 const struct text *count, char error[COMPANY_ERROR_SIZE])
{
    if (company->changing) {
        snprintf(error, COMPANY_ERROR_SIZE,
                 "another change is under way (%s); try again when it is done", company->order);
        return COMPANY_NOT_NOW;
    }
    company->sheet = (struct cue_sheet){.count = 0};
    enum company_order result = make_sheet(company, verb, who, count, error);
    if (result != COMPANY_BEGUN)
        return result;
    company->changing = true;
    snprintf(company->order, sizeof company->order, "%.*s %.*s", TEXT_PRINT(verb), TEXT_PRINT(who));
    return COMPANY_BEGUN;
}
