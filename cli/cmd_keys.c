/* stagedoor keys: who may do what at the edges, changed while they run. */
#include "cli/commands.h"
#include "cli/connect.h"
#include "keys/keys_file.h"

#include <stdio.h>
#include <string.h>

static int list(const struct command *command, const char *data)
{
    static struct keys keys;
    char error[KEYS_ERROR_SIZE];
    if (!keys_load(data, false, &keys, error))
        return command_fail(command, END_SYSTEM, "%s", error);
    for (int i = 0; i < keys.api_count; i++)
        printf("key       %-20s %s\n", keys.api[i].name, caller_role_name(keys.api[i].role));
    for (int i = 0; i < keys.signing_count; i++)
        printf("sign      %02x                   %s\n", keys.signing[i].id,
               i == 0 ? "signs" : "believed");
    for (int i = 0; i < keys.callback_count; i++)
        printf("callback  %s\n", keys.callbacks[i].provider);
    if (keys.local)
        printf("local     on loopback the sample's routes need no key\n");
    return END_OK;
}

static int add(const struct command *command, const char *data, const char *name, const char *word)
{
    char text[KEY_TEXT_SIZE], error[KEYS_ERROR_SIZE];
    enum caller_role role;
    if (!caller_role_named(text_of(word), &role))
        return command_fail(command, END_USAGE, "'%s' is no role: public, boxoffice or admin",
                            word);
    if (!keys_add(data, name, role, text, error))
        return command_fail(command, END_SYSTEM, "%s", error);
    printf("%s\n", text);
    fprintf(stderr,
            "this is the key '%s'; it is shown this once, and edges believe it within a "
            "second\n",
            name);
    return END_OK;
}

static int rotate(const struct command *command, const char *data)
{
    char error[KEYS_ERROR_SIZE];
    unsigned char id;
    if (!keys_rotate(data, &id, error))
        return command_fail(command, END_SYSTEM, "%s", error);
    printf("%02x\n", id);
    fprintf(stderr,
            "signing key %02x signs within a second; what others signed is believed until "
            "they are forgotten\n",
            id);
    return END_OK;
}

static int forget(const struct command *command, const char *data, const char *word)
{
    char error[KEYS_ERROR_SIZE], rest;
    unsigned id;
    if (strlen(word) != 2 || sscanf(word, "%2x%c", &id, &rest) != 1)
        return command_fail(command, END_USAGE, "'%s' is no id of a signing key; like 01", word);
    if (!keys_forget(data, (unsigned char)id, error))
        return command_fail(command, END_SYSTEM, "%s", error);
    return END_OK;
}

int command_keys(const struct command *command, int argc, char **argv)
{
    const char *data = NULL;
    char error[KEYS_ERROR_SIZE];
    const struct option_spec specs[] = {
        OPTION_TEXT("data", "DIR", "STAGEDOOR_DATA", &data, "folder of the keys (var)"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    data = data ? data : DATA_DEFAULT;
    const char *verb = operands.count ? operands.items[0] : "";
    if (strcmp(verb, "list") == 0 && operands.count == 1)
        return list(command, data);
    if (strcmp(verb, "add") == 0 && operands.count == 3)
        return add(command, data, operands.items[1], operands.items[2]);
    if (strcmp(verb, "rotate") == 0 && operands.count == 1)
        return rotate(command, data);
    if (strcmp(verb, "forget") == 0 && operands.count == 2)
        return forget(command, data, operands.items[1]);
    if (strcmp(verb, "revoke") != 0 || operands.count != 2)
        return command_fail(command, END_USAGE,
                            "say list, add NAME ROLE, revoke NAME, rotate or forget ID");
    if (!keys_revoke(data, operands.items[1], error))
        return command_fail(command, END_SYSTEM, "%s", error);
    return END_OK;
}
