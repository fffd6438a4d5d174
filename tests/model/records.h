#ifndef TESTS_MODEL_RECORDS_H
#define TESTS_MODEL_RECORDS_H

/* Calls that the kernel made, recorded by a build with FAILURES=1 (tests/data/records), as text for
 * model_parse. The last has no name. */
struct model_record {
    const char *name, *text, *end;
};
extern const struct model_record model_records[];

#endif
