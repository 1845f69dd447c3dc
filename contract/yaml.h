/* yaml.h: JSON, said in YAML for people to read. One way only: nothing of ours reads YAML.
 *
 * Objects and lists become blocks, two spaces a step; texts are plain where no reader could take
 * them for something else, quoted where one might, folded where they are long. YAML 1.2, and 1.1
 * where it reads the same. Pure; any thread. */
#ifndef CONTRACT_YAML_H
#define CONTRACT_YAML_H

#include "base/text.h"

enum { YAML_COLUMNS_MAX = 100 }; /* texts of words are folded to this width */

/* Appends the JSON document as a YAML document. The JSON is ours and good: it is not checked. */
void yaml_print(struct text json, struct buffer *out);

#endif
