/* The name of a ticket, taken apart. */
#include "schemas/ticket.h"

#include "base/uuid.h"
#include "schemas/numbers.h"

bool ticket_id_parse(struct text text, struct text *reservation_id, int64_t *number)
{
    if (text.size < 38 || text.data[36] != '-' || text.data[37] == '0')
        return false;
    *reservation_id = text_from(text.data, 36);
    return uuid_valid(*reservation_id) &&
           text_to_i64(text_from(text.data + 37, text.size - 37), number) && *number >= 1 &&
           *number <= NUMBERS_MAX;
}
