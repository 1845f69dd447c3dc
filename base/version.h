/* version.h: what this build calls itself, in claims, on the command line and over HTTP. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define STAGEDOOR_VERSION "0.1.0"

#endif
