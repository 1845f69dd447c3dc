/* points.h: everything that can go wrong or come together in a simulated evening, and how often it
 * did. A point that never fired was not tested; each may be taken out of a run, which is how a
 * failing one is made small. */
#ifndef TESTS_SIM_POINTS_H
#define TESTS_SIM_POINTS_H

#include <stdbool.h>
#include <stdint.h>

#define POINTS(X)                                                                                  \
    /* the log */                                                                                  \
    X(append_lost)                                                                                 \
    X(append_lied) /* it landed, and was called failed */                                          \
    X(append_doubled)                                                                              \
    X(append_untold) /* in a whole evening no answer says where a record lies */                   \
    X(append_late)                                                                                 \
    X(late_behind_a_newer_claim)                                                                   \
    X(suffix_lost)                                                                                 \
    X(queue_full)                                                                                  \
    X(delivery_delayed)                                                                            \
    X(partition_starved)                                                                           \
    X(rebalance)                                                                                   \
    X(clock_step)                                                                                  \
    X(clock_still)                                                                                 \
    X(log_outage)                                                                                  \
    X(log_hole)                                                                                    \
    X(long_wait)                                                                                   \
    X(slow_turn) /* time passes while a process waits for the log */                               \
    X(days_later)                                                                                  \
    /* processes */                                                                                \
    X(crash)                                                                                       \
    X(crash_before_poll)                                                                           \
    X(crash_after_poll)                                                                            \
    X(crash_before_append)                                                                         \
    X(crash_after_append)                                                                          \
    X(crash_recovering)                                                                            \
    X(freeze)                                                                                      \
    X(two_owners)                                                                                  \
    X(three_owners)                                                                                \
    X(service_down_an_hour)                                                                        \
    X(fenced)                                                                                      \
    X(stepped_down)                                                                                \
    X(doubtful_stamp)                                                                              \
    /* what people do */                                                                           \
    X(act_request)                                                                                 \
    X(act_check_out)                                                                               \
    X(act_change)                                                                                  \
    X(act_cancel)                                                                                  \
    X(act_visit)                                                                                   \
    X(act_manage)                                                                                  \
    X(act_stray_payment)                                                                           \
    X(act_garbage)                                                                                 \
    X(repeated_command)                                                                            \
    X(repeated_later)                                                                              \
    X(same_id_other_body)                                                                          \
    X(misrouted)                                                                                   \
    X(garbage_bytes)                                                                               \
    X(garbage_empty)                                                                               \
    X(garbage_huge)                                                                                \
    X(garbage_wrong_shape)                                                                         \
    X(garbage_unknown_type)                                                                        \
    X(garbage_newer_version)                                                                       \
    X(forged_stamp)                                                                                \
    X(callback_late)                                                                               \
    X(callback_twice)                                                                              \
    X(capacity_mid_sale)                                                                           \
    X(expiry_storm)                                                                                \
    X(cancel_of_nothing)                                                                           \
    X(cancel_of_a_hold)                                                                            \
    X(cancel_while_paying)                                                                         \
    X(cancel_while_pinned)                                                                         \
    X(cancel_of_a_sale)                                                                            \
    X(cancel_after_the_end)                                                                        \
    /* edges and those who ask them */                                                             \
    X(edges)                                                                                       \
    X(edge_register)                                                                               \
    X(edge_register_resumed)                                                                       \
    X(edge_register_unwritable)                                                                    \
    X(edge_crash)                                                                                  \
    X(edge_crash_queued)    /* a command not yet appended */                                       \
    X(edge_crash_published) /* not yet acknowledged */                                             \
    X(edge_crash_waiting)   /* acknowledged, and not yet answered */                               \
    X(edge_crash_starting)                                                                         \
    X(edge_stop)                                                                                   \
    X(edge_freeze)                                                                                 \
    X(asked)                                                                                       \
    X(asked_elsewhere)                                                                             \
    X(asked_much_later)                                                                            \
    X(asked_with_other_body)                                                                       \
    X(client_gone)                                                                                 \
    X(answered)                                                                                    \
    X(answered_late) /* 202 */                                                                     \
    X(answered_again)                                                                              \
    X(answered_key_reused)                                                                         \
    X(answered_catching_up)                                                                        \
    X(answered_not_acknowledged)                                                                   \
    X(answered_out_of_reach)                                                                       \
    /* the log itself lies: the last act of some evenings */                                       \
    X(tail_lost)                                                                                   \
    X(topic_made_again)                                                                            \
    X(partition_added)                                                                             \
    X(newer_build_was_here)

enum point {
#define X(name) POINT_##name,
    POINTS(X)
#undef X
        POINT_COUNT
};

const char *point_name(enum point point);              /* "append_lost" */
bool point_named(const char *name, enum point *point); /* false: no such */

#endif
