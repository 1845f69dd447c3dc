/* Made once by whoever comes first; changed as a whole or not at all. */
#include "keys/keys_file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, FILE_SIZE_MAX = 64 * 1024 };

static void write_hex(const unsigned char *bytes, size_t size, struct buffer *out)
{
    for (size_t i = 0; i < size; i++)
        buffer_print(out, "%02x", bytes[i]);
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
    keys_hash(text_of(clear), bytes);
    buffer_string(out, "\nkey admin admin ");
    write_hex(bytes, sizeof bytes, out);
    drawn = drawn && draw(bytes, "\ncallback paydesk " CALLBACK_SECRET_PREFIX, out);
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

static bool fail(char *error, const char *format, const char *what)
{
    snprintf(error, KEYS_ERROR_SIZE, format, what);
    return false;
}

static void forget_text(struct text *text)
{
    OPENSSL_cleanse((void *)(uintptr_t)text->data, text->size);
    text_free(text);
}

/* All of it, to be forgotten. */
static bool read_lines(int file, const char *path, struct text *lines, char *error)
{
    struct stat status;
    char *contents = memory_new(FILE_SIZE_MAX);
    ssize_t size = read(file, contents, FILE_SIZE_MAX);
    *lines = text_from(contents, size > 0 ? (size_t)size : 0);
    if (fstat(file, &status) != 0 || size < 0 || size == FILE_SIZE_MAX)
        return fail(error, "cannot read '%.200s'", path);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return true;
    snprintf(error, KEYS_ERROR_SIZE, "'%.180s' can be read by others; try: chmod 600 %.180s", path,
             path);
    return false;
}

static bool read_file(int file, const char *path, struct keys *keys, char *error)
{
    struct text lines;
    bool good = read_lines(file, path, &lines, error) && keys_parse(lines, keys, error);
    forget_text(&lines);
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

struct keys_version keys_version(const char *folder)
{
    const char *lines = getenv("STAGEDOOR_KEYS");
    char path[PATH_SIZE];
    struct stat status;
    snprintf(path, sizeof path, "%s/keys", folder);
    if ((lines && lines[0]) || stat(path, &status) != 0)
        return (struct keys_version){0};
    return (struct keys_version){.inode = (int64_t)status.st_ino,
                                 .size = status.st_size,
                                 .changed_ns = status.st_mtim.tv_sec * INT64_C(1000000000) +
                                               status.st_mtim.tv_nsec};
}

/* ---- changing -------------------------------------------------------------------------------- */

/* The file while it is being changed. Who changes it has locked another one beside it, for it does
 * not stay the same file. */
struct change {
    char path[PATH_SIZE];
    int lock;
    struct text lines;
    struct keys keys;
    struct buffer out; /* what it is to be */
};

static bool begin(struct change *change, const char *folder, char *error)
{
    char lock_path[PATH_SIZE + 8];
    const char *lines = getenv("STAGEDOOR_KEYS");
    *change = (struct change){.lock = -1};
    snprintf(change->path, sizeof change->path, "%s/keys", folder);
    snprintf(lock_path, sizeof lock_path, "%s.lock", change->path);
    if (lines && lines[0])
        return fail(error, "the keys are those of %s: change them there", "STAGEDOOR_KEYS");
    int file = open(change->path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail(error, "cannot open '%.200s'; name the folder of the edge's keys with --data",
                    change->path);
    close(file);
    change->lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (change->lock < 0 || flock(change->lock, LOCK_EX) != 0)
        return fail(error, "cannot lock '%.200s'", lock_path);
    file = open(change->path, O_RDONLY | O_CLOEXEC);
    bool good = file >= 0 && read_lines(file, change->path, &change->lines, error) &&
                keys_parse(change->lines, &change->keys, error);
    if (file >= 0)
        close(file);
    return good;
}

static void end(struct change *change)
{
    forget_text(&change->lines);
    if (change->out.data)
        OPENSSL_cleanse(change->out.data, change->out.size);
    buffer_release(&change->out);
    OPENSSL_cleanse(&change->keys, sizeof change->keys);
    if (change->lock >= 0)
        close(change->lock);
}

/* What the edges could not read does not take the file's place. */
static bool replace(struct change *change, char *error)
{
    char draft[PATH_SIZE + 8];
    snprintf(draft, sizeof draft, "%s.new", change->path);
    if (!keys_parse(buffer_view(&change->out), &change->keys, error))
        return false;
    int file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = file >= 0 &&
                   write(file, change->out.data, change->out.size) == (ssize_t)change->out.size &&
                   fsync(file) == 0;
    if (file >= 0)
        close(file);
    if (written && rename(draft, change->path) == 0)
        return true;
    unlink(draft);
    return fail(error, "cannot write '%.200s'", change->path);
}

/* Copies every line but those that begin with these words; how many these were. */
static int copy_but(struct change *change, const char *word, const char *second)
{
    struct text rest = change->lines;
    int left_out = 0;
    while (rest.size) {
        struct text line = text_cut(&rest, '\n'), words = line;
        if (text_is(text_cut(&words, ' '), word) && text_is(text_cut(&words, ' '), second)) {
            left_out++;
            continue;
        }
        buffer_text(&change->out, line);
        buffer_byte(&change->out, '\n');
    }
    return left_out;
}

static bool add(struct change *change, const char *name, enum caller_role role,
                char text[KEY_TEXT_SIZE], char *error)
{
    unsigned char bytes[KEY_SIZE];
    struct buffer clear = {0};
    if (!keys_name_valid(text_of(name)))
        return fail(error, "'%.64s' is no name of a key: up to 64 letters, digits and signs", name);
    for (int i = 0; i < change->keys.api_count; i++)
        if (strcmp(change->keys.api[i].name, name) == 0)
            return fail(error, "there is a key '%.64s' already; revoke it first", name);
    if (RAND_bytes(bytes, (KEY_TEXT_SIZE - 1) / 2) != 1)
        return fail(error, "%s", "the system has no randomness to give");
    write_hex(bytes, (KEY_TEXT_SIZE - 1) / 2, &clear);
    memcpy(text, clear.data, KEY_TEXT_SIZE);
    keys_hash(buffer_view(&clear), bytes);
    OPENSSL_cleanse(clear.data, clear.size);
    buffer_release(&clear);
    copy_but(change, "", "");
    buffer_print(&change->out, "key %s %s ", name, caller_role_name(role));
    write_hex(bytes, sizeof bytes, &change->out);
    buffer_byte(&change->out, '\n');
    return replace(change, error);
}

bool keys_add(const char *folder, const char *name, enum caller_role role, char text[KEY_TEXT_SIZE],
              char *error)
{
    struct change change;
    bool good = begin(&change, folder, error) && add(&change, name, role, text, error);
    end(&change);
    return good;
}

bool keys_revoke(const char *folder, const char *name, char *error)
{
    struct change change;
    bool good = begin(&change, folder, error);
    if (good && copy_but(&change, "key", name) == 0)
        good = fail(error, "there is no key '%.64s'; see: stagedoor keys list", name);
    good = good && replace(&change, error);
    end(&change);
    return good;
}

static bool is_signing(const struct keys *keys, unsigned char id)
{
    for (int i = 0; i < keys->signing_count; i++)
        if (keys->signing[i].id == id)
            return true;
    return false;
}

/* In front of the first `sign` line, for the first one signs. */
static bool rotate(struct change *change, unsigned char *id, char *error)
{
    unsigned char bytes[KEY_SIZE];
    struct text rest = change->lines;
    bool put = false;
    *id = change->keys.signing[0].id;
    do
        ++*id;
    while (is_signing(&change->keys, *id));
    if (change->keys.signing_count == SIGNING_KEYS_MAX)
        return fail(error, "%s", "there are 8 signing keys; forget the oldest first");
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return fail(error, "%s", "the system has no randomness to give");
    while (rest.size) {
        struct text line = text_cut(&rest, '\n');
        if (!put && text_starts(line, "sign ")) {
            buffer_print(&change->out, "sign %02x ", *id);
            write_hex(bytes, sizeof bytes, &change->out);
            buffer_byte(&change->out, '\n');
            put = true;
        }
        buffer_text(&change->out, line);
        buffer_byte(&change->out, '\n');
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
    return replace(change, error);
}

bool keys_rotate(const char *folder, unsigned char *id, char *error)
{
    struct change change;
    bool good = begin(&change, folder, error) && rotate(&change, id, error);
    end(&change);
    return good;
}

bool keys_forget(const char *folder, unsigned char id, char *error)
{
    struct change change;
    char name[3];
    snprintf(name, sizeof name, "%02x", id);
    bool good = begin(&change, folder, error);
    if (good && change.keys.signing[0].id == id)
        good = fail(error, "signing key %s signs; rotate first", name);
    else if (good && copy_but(&change, "sign", name) == 0)
        good = fail(error, "there is no signing key %s; see: stagedoor keys list", name);
    good = good && replace(&change, error);
    end(&change);
    return good;
}
