#ifndef TESTS_UNIT_SPACE_MACHINE_H
#define TESTS_UNIT_SPACE_MACHINE_H

#include "kernel/memory/paging/internal.h"
#include "kernel/space/internal.h"
#include "kernel/space/transfer.h"
#include "kernel/space/usercopy.h"
#include "tests/unit/host/platform.h"
#include "tests/unit/test.h"

/*
 * A machine with spaces: real frames, real page tables, a heap at its real address, and one thread,
 * whose locks are checked for being held once.
 */
#define PAGE 4096u
#define RW   (PROT_READ | PROT_WRITE)

/* RAM from frame 1 on; space_init. */
void machine_start(uint32_t frames);

/* Everything that memory_check would: fails with the sentences unless there are none. Also that
 * what is promised is what is charged and not taken. */
void machine_check_is_clean(void);
/* How many faults there are; the sentences are in machine_faults. */
uint32_t machine_check(void);
extern char machine_faults[8192];

uint32_t machine_free_frames(void);
/* Takes frames that nobody promised until so many are left for charges; gives them back. */
void machine_hoard(uint32_t left);
void machine_return(void);

/* Objects that live in the heap. */
uint32_t machine_objects(void);

/* Anonymous private memory. */
int32_t map_anonymous(struct space *space, uint32_t address, uint32_t pages, uint32_t protection,
                      uint32_t flags);

/* As a program would touch it. write: the byte. -1: it faults, and why is in machine_fault. */
int touch_read(struct space *space, uint32_t address);
int touch_write(struct space *space, uint32_t address, uint8_t value);
extern enum space_fault machine_fault;

/* A backing that is a file of so many pages: page i begins with byte i + 1. */
struct test_file {
    struct backing backing;
    uint32_t references, pages;
    frame_t *frames;
};
void file_start(struct test_file *file, uint32_t pages);
void file_end(struct test_file *file);

#endif
