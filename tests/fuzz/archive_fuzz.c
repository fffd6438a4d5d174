/*
 * The fuzzer's bytes are an initial archive: the parser reads no byte beside them, every entry lies
 * inside, and the tree that is made of it is sound and can be read to its end.
 */
#include "kernel/file/archive.h"

#include "kernel/syscall/table.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/file_machine.h"

#define BYTES_MAX  (256u * 1024)
#define DEPTH_MAX  8
#define BUFFER     (USER_BASE + 0x4000u)
#define BUFFER_MAX 0x8000u

static void parse(const uint8_t *data, uint32_t size)
{
    struct archive_reader reader = archive_open(data, size);
    struct archive_entry entry;
    uint32_t position = 0;
    while (archive_next(&reader, &entry)) {
        CHECK(reader.position > position || reader.position == size);
        CHECK(entry.data <= size && entry.bytes <= size - entry.data);
        CHECK((const uint8_t *)entry.name >= data &&
              (const uint8_t *)entry.name + entry.name_length < data + size);
        CHECK(entry.name[entry.name_length] == '\0');
        position = reader.position;
    }
}

/* Reads what can be read of everything below; what cannot be named any more is passed over. */
static void read_tree(const char *path, unsigned depth)
{
    static uint8_t entries[DEPTH_MAX][BUFFER_MAX];
    int32_t descriptor = syscall_open(user_text(0, path), O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
    if (descriptor < 0)
        return;
    uint32_t at = (uint32_t)descriptor;
    int32_t bytes = syscall_getdents64(at, BUFFER, BUFFER_MAX);
    if (bytes < 0) {
        for (unsigned i = 0; i < 4 && syscall_read(at, BUFFER, BUFFER_MAX) > 0; i++)
            ;
        bytes = 0;
    }
    memcpy(entries[depth], machine_user + 0x4000, (size_t)bytes);
    CHECK_EQUAL(syscall_close(at), 0);
    for (int32_t offset = 0; offset < bytes && depth + 1 < DEPTH_MAX;) {
        char below[PATH_MAX];
        uint16_t length;
        const char *name = (const char *)entries[depth] + offset + 19;
        memcpy(&length, entries[depth] + offset + 16, sizeof(length));
        snprintf(below, sizeof(below), "%s/%s", path, name);
        if (name[0] != '.' && strcmp(below, "/proc") != 0 && strcmp(below, "/dev") != 0)
            read_tree(below, depth + 1);
        offset += length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > BYTES_MAX)
        return 0;
    uint8_t *exact = malloc(size);
    memcpy(exact, data, size);
    parse(exact, (uint32_t)size);
    file_machine_start_archive(1024, exact, (uint32_t)size);
    free(exact);
    read_tree("", 0);
    read_tree("/", 0);
    file_machine_end();
    return 0;
}
