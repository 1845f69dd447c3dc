/* story.h: the choreography as drawings, one for each story a person would tell: Mermaid
 * flowcharts, written into ARCHITECTURE.md.
 *
 * Which reaction belongs to which story is a table here; what is drawn comes from the descriptors.
 * Pure; any thread. */
#ifndef CONTRACT_STORY_H
#define CONTRACT_STORY_H

#include "bus/service.h"

/* Every reaction is told in exactly one story, and the stories tell of nothing else: appends a
 * line for each breach, "contract/story.c:1: …", and answers how many there are. */
int story_check(const struct service_descriptor *const *services, int count,
                struct buffer *breaches);

/* Appends all drawings as Markdown. */
void story_print(const struct service_descriptor *const *services, int count, struct buffer *out);

#endif
