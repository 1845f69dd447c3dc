/* Keys and the ids derived from them. */
#include "api/ids.h"
#include "keys/keys_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OLD "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
/* SHA-256 of "open sesame" */
#define SESAME "41ef4bb0b23661e66301aac36066912dac037827b4ae63a7b1165a5aa93ed4eb"
#define WHSEC  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" /* 0 to 31 */
#define RID    "11111111-1111-4111-8111-111111111111"

static void parse__reads_every_line(void **state)
{
    static struct keys keys;
    char error[KEYS_ERROR_SIZE] = "";
    (void)state;
    assert_true(keys_parse(text_of("# comment\nid " HEX "\nsign 02 " HEX "\nsign 01 " OLD
                                   "\r\n\nlocal\nkey till boxoffice " SESAME
                                   "\ncallback paydesk whsec_" WHSEC "\n"),
                           &keys, error));
    assert_int_equal(keys.callback_count, 1);
    assert_string_equal(keys.callbacks[0].provider, "paydesk");
    assert_int_equal(keys.callbacks[0].size, 32);
    assert_int_equal(keys.callbacks[0].bytes[31], 31);
    assert_true(keys.local);
    assert_int_equal(keys.signing_count, 2);
    assert_int_equal(keys.signing[0].id, 2);
    const struct api_key *key = keys_find(&keys, text_of("open sesame"));
    assert_non_null(key);
    assert_string_equal(key->name, "till");
    assert_int_equal(key->role, CALLER_BOXOFFICE);
    assert_null(keys_find(&keys, text_of("open sesam")));
    assert_null(keys_find(&keys, text_of("")));
}

static void parse__refuses_what_it_cannot_read(void **state)
{
    static const char *const bad[] = {
        "",
        "id " HEX "\n",
        "sign 01 " HEX "\n",
        "id 0123\nsign 01 " HEX "\n",
        "id " HEX "\nid " HEX "\nsign 01 " HEX "\n",
        "id " HEX "\nsign 01 " HEX "\nsign 01 " OLD "\n",
        "id " HEX "\nsign 01 " HEX "\nkey a chief " SESAME "\n",
        "id " HEX "\nsign 01 " HEX "\nkey public public " SESAME "\n",
        "id " HEX "\nsign 01 " HEX "\nkey a admin " SESAME "\nkey a admin " SESAME "\n",
        "id " HEX "\nsign 01 " HEX "\nnonsense\n",
        "id " HEX "\nsign 01 " HEX "\ncallback paydesk\n",
        "id " HEX "\nsign 01 " HEX "\ncallback paydesk 0123" WHSEC "\n",
        "id " HEX "\nsign 01 " HEX "\ncallback pay/desk whsec_" WHSEC "\n",
        "id " HEX "\nsign 01 " HEX "\ncallback paydesk whsec_0123" WHSEC "=\n",
        "id " HEX "\nsign 01 " HEX "\ncallback paydesk whsec_0123456789012345678901234567\n",
        "id " HEX "\nsign 01 " HEX "\ncallback paydesk whsec_0123 " WHSEC "\n",
        "id " HEX "\nsign 01 " HEX "\ncallback paydesk whsec_" WHSEC WHSEC WHSEC "\n",
    };
    static struct keys keys;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char error[KEYS_ERROR_SIZE] = "";
        assert_false(keys_parse(text_of(bad[i]), &keys, error));
        assert_true(error[0] != '\0');
        assert_null(strstr(error, "0123"));
    }
}

static void load__makes_them_once_and_only_when_allowed(void **state)
{
    static struct keys first, second;
    char folder[] = "/tmp/edge-keys-XXXXXX", error[KEYS_ERROR_SIZE] = "", path[64];
    struct stat status;
    (void)state;
    unsetenv("STAGEDOOR_KEYS");
    assert_non_null(mkdtemp(folder));
    assert_false(keys_load(folder, false, &first, error));
    assert_true(keys_load(folder, true, &first, error));
    assert_true(keys_load(folder, false, &second, error));
    assert_memory_equal(first.id_key, second.id_key, KEY_SIZE);
    assert_int_equal(first.callback_count, 1);
    assert_string_equal(first.callbacks[0].provider, "paydesk");
    assert_memory_equal(first.callbacks[0].bytes, second.callbacks[0].bytes, KEY_SIZE);
    assert_true(first.local && first.api_count == 1 && first.api[0].role == CALLER_ADMIN);
    snprintf(path, sizeof path, "%s/signin", folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    FILE *signin = fopen(path, "r");
    char clear[128] = "";
    assert_int_equal(fscanf(signin, "%127s", clear), 1);
    fclose(signin);
    assert_non_null(keys_find(&first, text_of(clear)));
    unlink(path);
    snprintf(path, sizeof path, "%s/keys", folder);
    chmod(path, 0644);
    assert_false(keys_load(folder, true, &second, error));
    unlink(path);
    rmdir(folder);
}

static void load__takes_the_environment_first(void **state)
{
    static struct keys keys;
    char error[KEYS_ERROR_SIZE] = "";
    (void)state;
    setenv("STAGEDOOR_KEYS", "id " HEX ";sign 07 " HEX, 1);
    assert_true(keys_load("/nowhere", false, &keys, error));
    assert_int_equal(keys.signing[0].id, 7);
    unsetenv("STAGEDOOR_KEYS");
}

static void take_keys(struct keys *keys, const char *lines)
{
    char error[KEYS_ERROR_SIZE];
    assert_true(keys_parse(text_of(lines), keys, error));
}

static void ids__name_caller_method_path_and_key(void **state)
{
    static struct keys keys;
    char ids[5][UUID_SIZE];
    (void)state;
    take_keys(&keys, "id " HEX "\nsign 01 " HEX "\n");
    ids_derive(&keys, "public", "POST", text_of("/v1/shows"), text_of("k"), ids[0]);
    ids_derive(&keys, "till", "POST", text_of("/v1/shows"), text_of("k"), ids[1]);
    ids_derive(&keys, "public", "PUT", text_of("/v1/shows"), text_of("k"), ids[2]);
    ids_derive(&keys, "public", "POST", text_of("/v1/show"), text_of("sk"), ids[3]);
    ids_derive(&keys, "public", "POST", text_of("/v1/shows"), text_of("k"), ids[4]);
    for (int i = 0; i < 4; i++) {
        assert_true(uuid_valid(text_of(ids[i])));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    }
    assert_string_equal(ids[0], ids[4]);
}

static void secret__opens_its_reservation_and_no_other(void **state)
{
    static struct keys keys, rotated, foreign;
    char secret[SECRET_SIZE];
    struct text show_id;
    (void)state;
    take_keys(&keys, "id " HEX "\nsign 01 " HEX "\n");
    take_keys(&rotated, "id " HEX "\nsign 02 " OLD "\nsign 01 " HEX "\n");
    take_keys(&foreign, "id " HEX "\nsign 01 " OLD "\n");
    ids_secret(&keys, text_of("hamlet"), text_of(RID), secret);
    assert_true(ids_secret_like(text_of(secret)));
    assert_true(ids_secret_valid(&keys, text_of(secret), text_of(RID), &show_id));
    assert_true(text_is(show_id, "hamlet"));
    assert_true(ids_secret_valid(&rotated, text_of(secret), text_of(RID), &show_id));
    assert_false(ids_secret_valid(&foreign, text_of(secret), text_of(RID), &show_id));
    assert_false(ids_secret_valid(&keys, text_of(secret),
                                  text_of("21111111-1111-4111-8111-111111111111"), &show_id));
    secret[SECRET_MAC_SIZE + 1] = 'H'; /* another show */
    assert_false(ids_secret_valid(&keys, text_of(secret), text_of(RID), &show_id));
    assert_false(ids_secret_valid(&keys, text_of("short"), text_of(RID), &show_id));
    assert_false(ids_secret_valid(&keys, (struct text){NULL, 0}, text_of(RID), &show_id));
}

static void party__is_the_same_in_upper_case(void **state)
{
    static struct keys keys;
    char a[UUID_SIZE], b[UUID_SIZE];
    (void)state;
    take_keys(&keys, "id " HEX "\nsign 01 " HEX "\n");
    ids_party(&keys, text_of("Ann@Example.org"), a);
    ids_party(&keys, text_of("ann@example.org"), b);
    assert_string_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__reads_every_line),
        cmocka_unit_test(parse__refuses_what_it_cannot_read),
        cmocka_unit_test(load__makes_them_once_and_only_when_allowed),
        cmocka_unit_test(load__takes_the_environment_first),
        cmocka_unit_test(ids__name_caller_method_path_and_key),
        cmocka_unit_test(secret__opens_its_reservation_and_no_other),
        cmocka_unit_test(party__is_the_same_in_upper_case),
    };
    return cmocka_run_group_tests_name("edge_keys", tests, NULL, NULL);
}
