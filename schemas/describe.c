/* One walk over the shapes, depth first. */
#include "schemas/describe.h"

#include "schemas/shape.h"

#include <assert.h>
#include <stdio.h>

struct walk {
    struct described *items;
    int count;
};

static void walk_shape(struct walk *walk, const char *path, const char *between, struct shape shape)
{
    for (const struct member *member = shape.members; member < shape.members + shape.count;
         member++) {
        assert(walk->count < DESCRIBED_MAX);
        struct described *item = &walk->items[walk->count++];
        const struct kind_row *row = kind_row(member->kind);
        int size = snprintf(item->path, sizeof item->path, "%s%s%s", path, between, member->json);
        assert(size < (int)sizeof item->path);
        item->needed = member->required;
        item->kind = row->name;
        item->meaning = row->meaning;
        item->words = row->family == FAMILY_WORD ? row->words : NULL;
        if (row->family == FAMILY_OBJECT)
            walk_shape(walk, item->path, ".", row->shape);
        if (row->family == FAMILY_LIST)
            walk_shape(walk, item->path, "[].", row->shape);
    }
}

int describe_message(enum message_type type, struct described described[DESCRIBED_MAX])
{
    struct walk walk = {described, 0};
    walk_shape(&walk, "", "", message_shape(type));
    return walk.count;
}
