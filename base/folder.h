/* folder.h: folders that must be there before anything is written. Any thread. */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include <stdbool.h>

/* The folder, for its owner alone, and those above it, for everyone. true: it is there now, made
 * here or before. false: errno says why not. */
bool folder_make(const char *path);

#endif
