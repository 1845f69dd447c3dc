/* The keys file: read strictly, made once, never printed. */
#include "api/keys.h"

#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_PREFIX "whsec_"

enum { PATH_SIZE = 4096, FILE_SIZE_MAX = 64 * 1024 };

static const char *const role_names[] = {"public", "boxoffice", "admin"};

const char *caller_role_name(enum caller_role role)
{
    return role_names[role];
}

/* Or the hash of the caller before, left on the stack, would be believed. */
static void hash_of(struct text clear, unsigned char hash[KEY_SIZE])
{
    if (SHA256((const unsigned char *)clear.data, clear.size, hash) == NULL)
        memory_lacks("the hash of a key");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(struct text text, unsigned char *out, size_t size)
{
    if (text.size != size * 2)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text.data[2 * i]), low = hex_digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

static void write_hex(const unsigned char *bytes, size_t size, struct buffer *out)
{
    for (size_t i = 0; i < size; i++)
        buffer_print(out, "%02x", bytes[i]);
}

static bool read_role(struct text text, enum caller_role *role)
{
    for (int i = CALLER_PUBLIC; i <= CALLER_ADMIN; i++)
        if (text_is(text, role_names[i])) {
            *role = (enum caller_role)i;
            return true;
        }
    return false;
}

static bool good_name(struct text name)
{
    if (name.size == 0 || name.size > API_KEY_NAME_MAX || text_is(name, "public"))
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] <= ' ' || name.data[i] > '~')
            return false;
    return true;
}

static const char *read_signing(struct text rest, struct keys *keys)
{
    struct signing_key key;
    struct text id = text_cut(&rest, ' ');
    if (keys->signing_count == SIGNING_KEYS_MAX)
        return "there are too many signing keys";
    if (!read_hex(id, &key.id, 1) || !read_hex(rest, key.bytes, KEY_SIZE))
        return "use: sign HEX2 HEX64";
    for (int i = 0; i < keys->signing_count; i++)
        if (keys->signing[i].id == key.id)
            return "two signing keys have the same id";
    keys->signing[keys->signing_count++] = key;
    return NULL;
}

static const char *read_api_key(struct text rest, struct keys *keys)
{
    struct api_key *key = &keys->api[keys->api_count];
    if (keys->api_count == API_KEYS_MAX)
        return "there are too many API keys";
    struct text name = text_cut(&rest, ' '), role = text_cut(&rest, ' ');
    if (!good_name(name) || !read_role(role, &key->role) || !read_hex(rest, key->hash, KEY_SIZE))
        return "use: key NAME public|boxoffice|admin SHA256";
    for (int i = 0; i < keys->api_count; i++)
        if (text_is(name, keys->api[i].name))
            return "two keys have the same name";
    memcpy(key->name, name.data, name.size);
    key->name[name.size] = '\0';
    keys->api_count++;
    return NULL;
}

/* Base64 with its padding, and nothing else. */
static bool read_base64(struct text text, unsigned char *out, size_t size_max, size_t *size)
{
    unsigned char bytes[CALLBACK_SECRET_SIZE_MAX + 4];
    size_t padding = 0;
    if (text.size == 0 || text.size % 4 || text.size / 4 * 3 > sizeof bytes)
        return false;
    while (padding < 2 && text.data[text.size - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < text.size - padding; i++)
        if (!isalnum((unsigned char)text.data[i]) && text.data[i] != '+' && text.data[i] != '/')
            return false;
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text.data, (int)text.size);
    *size = decoded < 0 ? 0 : (size_t)decoded - padding;
    bool fits = decoded > 0 && *size <= size_max;
    if (fits)
        memcpy(out, bytes, *size);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return fits;
}

bool keys_provider_valid(struct text name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!isalnum((unsigned char)name.data[i]) && name.data[i] != '_' && name.data[i] != '-')
            return false;
    return name.size > 0 && name.size <= PROVIDER_SIZE_MAX;
}

static const char *read_callback(struct text rest, struct keys *keys)
{
    struct callback_secret *secret = &keys->callbacks[keys->callback_count];
    if (keys->callback_count == CALLBACK_SECRETS_MAX)
        return "there are too many callback secrets";
    struct text provider = text_cut(&rest, ' ');
    size_t prefix = strlen(SECRET_PREFIX);
    if (!keys_provider_valid(provider) || !text_starts(rest, SECRET_PREFIX) ||
        !read_base64((struct text){rest.data + prefix, rest.size - prefix}, secret->bytes,
                     CALLBACK_SECRET_SIZE_MAX, &secret->size) ||
        secret->size < CALLBACK_SECRET_SIZE_MIN)
        return "use: callback PROVIDER whsec_BASE64, the base64 of 24 to 64 bytes";
    memcpy(secret->provider, provider.data, provider.size);
    secret->provider[provider.size] = '\0';
    keys->callback_count++;
    return NULL;
}

static const char *read_line(struct text line, struct keys *keys)
{
    while (line.size && (line.data[line.size - 1] == '\r' || line.data[line.size - 1] == ' '))
        line.size--;
    if (line.size == 0 || line.data[0] == '#')
        return NULL;
    struct text word = text_cut(&line, ' ');
    if (text_is(word, "local")) {
        keys->local = true;
        return NULL;
    }
    if (text_is(word, "sign"))
        return read_signing(line, keys);
    if (text_is(word, "key"))
        return read_api_key(line, keys);
    if (text_is(word, "callback"))
        return read_callback(line, keys);
    if (!text_is(word, "id"))
        return "it starts with none of: id, sign, key, callback, local, #";
    if (keys->has_id_key || !read_hex(line, keys->id_key, KEY_SIZE))
        return "use once: id HEX64";
    keys->has_id_key = true;
    return NULL;
}

bool keys_parse(struct text lines, struct keys *keys, char *error)
{
    *keys = (struct keys){0};
    for (int number = 1; lines.size; number++) {
        const char *problem = read_line(text_cut(&lines, '\n'), keys);
        if (problem == NULL)
            continue;
        snprintf(error, KEYS_ERROR_SIZE, "line %d of the keys cannot be read: %s", number, problem);
        return false;
    }
    if (keys->has_id_key && keys->signing_count)
        return true;
    snprintf(error, KEYS_ERROR_SIZE, "the keys have no '%s' line",
             keys->has_id_key ? "sign" : "id");
    return false;
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Written beside its place and linked into it: whoever comes second finds a whole file. */
static bool write_once(const char *path, struct text contents)
{
    char draft[PATH_SIZE + 32];
    snprintf(draft, sizeof draft, "%s.%ld", path, (long)getpid());
    int file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    bool written =
        write(file, contents.data, contents.size) == (ssize_t)contents.size && fsync(file) == 0;
    close(file);
    bool linked = written && (link(draft, path) == 0 || errno == EEXIST);
    unlink(draft);
    return linked;
}

/* Secrets of what lay on the stack would be no secrets. */
static bool draw(unsigned char bytes[KEY_SIZE], const char *before, struct buffer *out)
{
    buffer_string(out, before);
    return RAND_bytes(bytes, KEY_SIZE) == 1;
}

static bool print_keys(const char *clear, struct buffer *out)
{
    unsigned char bytes[KEY_SIZE] = {0}, secret[KEY_SIZE * 2];
    bool drawn = draw(bytes,
                      "# keys of this installation: api/README.md says what each line means\n"
                      "local\nid ",
                      out);
    write_hex(bytes, sizeof bytes, out);
    drawn = drawn && draw(bytes, "\nsign 01 ", out);
    write_hex(bytes, sizeof bytes, out);
    hash_of(text_of(clear), bytes);
    buffer_string(out, "\nkey admin admin ");
    write_hex(bytes, sizeof bytes, out);
    drawn = drawn && draw(bytes, "\ncallback paydesk " SECRET_PREFIX, out);
    EVP_EncodeBlock(secret, bytes, sizeof bytes);
    buffer_string(out, (const char *)secret);
    buffer_byte(out, '\n');
    OPENSSL_cleanse(secret, sizeof secret);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return drawn;
}

/* The clear text goes first: a keys file without it would lock everybody out. */
static bool make_files(const char *keys_path, const char *signin_path)
{
    unsigned char bytes[24];
    struct buffer clear = {0}, lines = {0};
    char found[128] = "";
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    write_hex(bytes, sizeof bytes, &clear);
    bool made = write_once(signin_path, buffer_view(&clear));
    FILE *signin = made ? fopen(signin_path, "re") : NULL;
    made = signin && fscanf(signin, "%127s", found) == 1;
    if (signin)
        fclose(signin);
    if (made) {
        made = print_keys(found, &lines) && write_once(keys_path, buffer_view(&lines));
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
    buffer_release(&clear);
    buffer_release(&lines);
    return made;
}

static bool read_file(int file, const char *path, struct keys *keys, char *error)
{
    struct stat status;
    char *contents = memory_new(FILE_SIZE_MAX);
    ssize_t size = read(file, contents, FILE_SIZE_MAX);
    bool good = false;
    if (fstat(file, &status) != 0 || size < 0 || size == FILE_SIZE_MAX)
        snprintf(error, KEYS_ERROR_SIZE, "cannot read '%.200s'", path);
    else if (status.st_mode & (S_IRWXG | S_IRWXO))
        snprintf(error, KEYS_ERROR_SIZE, "'%.180s' can be read by others; try: chmod 600 %.180s",
                 path, path);
    else
        good = keys_parse((struct text){contents, (size_t)size}, keys, error);
    OPENSSL_cleanse(contents, FILE_SIZE_MAX);
    memory_free(contents);
    return good;
}

static bool read_environment(const char *lines, struct keys *keys, char *error)
{
    struct text copy = text_copy(text_of(lines));
    for (size_t i = 0; i < copy.size && strchr(lines, '\n') == NULL; i++)
        if (copy.data[i] == ';')
            ((char *)copy.data)[i] = '\n';
    bool good = keys_parse(copy, keys, error);
    text_free(&copy);
    return good;
}

bool keys_load(const char *folder, bool may_create, struct keys *keys, char *error)
{
    char path[PATH_SIZE], signin[PATH_SIZE];
    const char *lines = getenv("STAGEDOOR_KEYS");
    if (lines && lines[0])
        return read_environment(lines, keys, error);
    snprintf(path, sizeof path, "%s/keys", folder);
    snprintf(signin, sizeof signin, "%s/signin", folder);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT && !may_create) {
        snprintf(
            error, KEYS_ERROR_SIZE,
            "there is no '%.200s', and without keys only loopback is listened on; start once with "
            "--listen 127.0.0.1:3000 to make one, or set STAGEDOOR_KEYS",
            path);
        return false;
    }
    if (file < 0 && errno == ENOENT && make_files(path, signin))
        file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        snprintf(error, KEYS_ERROR_SIZE, "cannot open or make '%.200s': %s", path, strerror(errno));
        return false;
    }
    bool good = read_file(file, path, keys, error);
    close(file);
    return good;
}

const struct api_key *keys_find(const struct keys *keys, struct text clear)
{
    unsigned char hash[KEY_SIZE];
    const struct api_key *found = NULL;
    hash_of(clear, hash);
    for (int i = 0; i < keys->api_count; i++)
        if (CRYPTO_memcmp(hash, keys->api[i].hash, KEY_SIZE) == 0)
            found = &keys->api[i];
    return found;
}
