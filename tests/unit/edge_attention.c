/* What needs a person, where it is easier to say than to bring about. */
#include "api/attention.h"

#include "api/register_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define RID     "11111111-1111-4111-8111-111111111111"
#define PAYMENT "22222222-2222-4222-8222-222222222222"

static void refuse(struct view *view, enum message_type command)
{
    struct message event;
    struct place place = {TOPIC_CHECKOUT_EVENTS, 0, 9};
    message_init(&event, MESSAGE_Refused);
    message_set(&event, show_id, text_of("s1"));
    message_set(&event, reservation_id, text_of(RID));
    message_set(&event, code, code_archived);
    message_set(&event, detail, text_of("its books are closed"));
    message_set(&event, payment_id, text_of(PAYMENT));
    message_set(&event, command, text_of(message_name(command)));
    view_apply(view, &event, &place);
}

static const struct reservation *found(struct view *view)
{
    return view_reservation_of(view, text_of("s1"), text_of(RID));
}

/* Money that came when nobody could book it any more; the register keeps that. */
static void attention__is_for_money_that_came_too_late(void **state)
{
    struct view view = {0};
    struct buffer row = {0}, matters = {0};
    (void)state;
    refuse(&view, MESSAGE_StartCheckout);
    assert_false(attention_needed(found(&view)));
    refuse(&view, MESSAGE_RecordPayment);
    row_put_reservation(&row, found(&view));
    struct reservation *kept = row_read_reservation(buffer_view(&row));
    struct reservation *copy = view_reservation_copy(kept);
    assert_true(attention_needed(copy));
    buffer_byte(&matters, '[');
    attention_put(&matters, copy);
    assert_non_null(strstr(matters.data, "\"kind\":\"payment_late\""));
    assert_non_null(strstr(matters.data, "\"payment_id\":\"" PAYMENT "\""));
    view_reservation_free(copy);
    view_reservation_free(kept);
    buffer_release(&matters);
    buffer_release(&row);
    view_release(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention__is_for_money_that_came_too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
