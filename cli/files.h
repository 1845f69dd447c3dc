/* files.h: whole files, put down so that they are there after a power loss, and never in the place
 * of another. What went wrong is in errno. One thread. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "base/text.h"

bool file_exists(const char *path);
/* All of it, up to `size_max` bytes. */
bool file_read(const char *path, size_t size_max, struct buffer *bytes);
/* Makes it; EEXIST when it is there. `mode` as open() has it. */
bool file_make(const char *path, struct text bytes, int mode);
/* The bytes of `from` and its new name are on the disk; EEXIST when `to` is there. */
bool file_give_name(const char *from, const char *to);

#endif
