/* Days from civil dates and back (H. Hinnant's algorithm), so no libc time zone can interfere. */
#include "base/rfc3339.h"

#include <assert.h>
#include <stdio.h>

enum { DAY_S = 86400 };
#define END_MS INT64_C(253402300800000) /* the year 10000 */

static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t in_era = days - era * 146097;
    int64_t of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t of_year = in_era - (365 * of_era + of_era / 4 - of_era / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(of_era + era * 400 + (*month <= 2));
}

const char *rfc3339_print(int64_t at_ms, char out[RFC3339_SIZE])
{
    assert(at_ms >= 0 && at_ms < END_MS);
    int year, month, day;
    int64_t seconds = at_ms / 1000;
    int of_day = (int)(seconds % DAY_S);
    civil_from_days(seconds / DAY_S, &year, &month, &day);
    int size = snprintf(out, RFC3339_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year % 10000,
                        month % 100, day % 100, of_day / 3600, of_day / 60 % 60, of_day % 60,
                        (int)(at_ms % 1000));
    assert(size == RFC3339_SIZE - 1);
    return out;
}

/* `count` digits off the front of `rest`, then the byte `behind` (0: none). */
static bool digits(struct text *rest, size_t count, char behind, int *value)
{
    if (rest->size < count + (behind != 0))
        return false;
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        if (rest->data[i] < '0' || rest->data[i] > '9')
            return false;
        *value = *value * 10 + (rest->data[i] - '0');
    }
    if (behind && rest->data[count] != behind)
        return false;
    count += behind != 0;
    *rest = (struct text){rest->data + count, rest->size - count};
    return true;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool read_fraction(struct text *rest, int *millis)
{
    *millis = 0;
    if (rest->size == 0 || rest->data[0] != '.')
        return true;
    size_t count = 0;
    for (int weight = 100; count + 1 < rest->size; count++, weight /= 10) {
        char c = rest->data[count + 1];
        if (c < '0' || c > '9')
            break;
        *millis += (c - '0') * weight;
    }
    *rest = (struct text){rest->data + count + 1, rest->size - count - 1};
    return count >= 1 && count <= 9;
}

static bool read_offset(struct text rest, int *minutes)
{
    *minutes = 0;
    if (rest.size == 1 && (rest.data[0] == 'Z' || rest.data[0] == 'z'))
        return true;
    if (rest.size != 6 || (rest.data[0] != '+' && rest.data[0] != '-'))
        return false;
    int hour, minute;
    bool east = rest.data[0] == '+';
    rest = (struct text){rest.data + 1, 5};
    if (!digits(&rest, 2, ':', &hour) || !digits(&rest, 2, 0, &minute) || hour > 23 || minute > 59)
        return false;
    *minutes = (east ? 1 : -1) * (hour * 60 + minute);
    return true;
}

bool rfc3339_parse(struct text text, int64_t *at_ms)
{
    int year, month, day, hour, minute, second, millis, offset;
    if (text.size < 20 || (text.data[10] != 'T' && text.data[10] != 't'))
        return false;
    if (!digits(&text, 4, '-', &year) || !digits(&text, 2, '-', &month) ||
        !digits(&text, 2, text.data[2], &day) || !digits(&text, 2, ':', &hour) ||
        !digits(&text, 2, ':', &minute) || !digits(&text, 2, 0, &second))
        return false;
    if (!read_fraction(&text, &millis) || !read_offset(text, &offset))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) || hour > 23 ||
        minute > 59 || second > 60)
        return false;
    int64_t minutes = (int64_t)hour * 60 + minute - offset;
    int64_t seconds = days_from_civil(year, month, day) * DAY_S + minutes * 60 + second;
    if (second == 60 && seconds % DAY_S != 0)
        return false; /* leap seconds end a day of UTC */
    *at_ms = seconds * 1000 + millis;
    return *at_ms >= 0 && *at_ms < END_MS;
}
