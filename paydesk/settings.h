/* settings.h: the command line and the environment.
 *
 * The secret comes from a file that has it in a line of its own, or that is the edge's file of
 * keys, where the line says "callback PROVIDER whsec_…". One thread. */
#ifndef PAYDESK_SETTINGS_H
#define PAYDESK_SETTINGS_H

#include "bus/settings.h"
#include "paydesk/script.h"
#include "paydesk/signature.h"

#define PAYDESK_PROGRAM "stagedoor-paydesk"

enum { SETTINGS_ERROR_SIZE = 512 };

struct settings {
    struct bus_settings bus;
    const char *data;
    const char *edge;
    const char *provider;
    const char *script_text; /* as written, with the step of --default behind it */
    struct script script;
    struct signature_key key;
    int64_t delay_ms;
    const char *admin; /* NULL: nobody listens */
    enum log_level log_level;
    enum log_format log_format;
    bool check;          /* only look whether all this would work */
    struct buffer bytes; /* of script_text */
    struct option_file file;
};

/* As options_parse. What is said never repeats a secret. Strings are borrowed from `argv` and the
 * environment. */
enum options_result settings_read(int argc, char **argv, struct settings *settings,
                                  struct buffer *said);
void settings_release(struct settings *settings);

#endif
