#include "kernel/process/exec.h"

#include <cpuid.h>

#include "kernel/file/files.h"
#include "kernel/file/path.h"
#include "kernel/file/table.h"
#include "kernel/include/errors.h"
#include "kernel/include/log.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/platform.h"
#include "kernel/process/elf.h"
#include "kernel/process/internal.h"
#include "kernel/process/user.h"
#include "kernel/space/space.h"

#define SCRIPT_DEPTH_MAX 4u
#define SCRIPT_LINE      256u
#define AUXILIARY_MAX    20u
#define RANDOM_BYTES     16u
#define PLATFORM         "i686"

static const struct elf_room user_room = {MAP_USER_START, MAP_USER_END};
/* An interpreter, which is a shared object, stands where the library row begins. */
static const struct elf_room library_room = {MAP_LIBRARY_START, MAP_LIBRARY_END};

/* What is being made. */
struct program {
    const char *path; /* as it was given */
    struct path_context *paths;
    struct file *file;
    struct space *space;
    struct elf_image image;
    uint32_t interpreter_base, interpreter_entry; /* 0: none */
    uint32_t entry, stack;                        /* where it begins */
    uint32_t arguments_start, arguments_end, environment_end;
};

static int refuse(const struct program *program, const char *refusal)
{
    if (refusal != NULL)
        log_line("exec %s: %s", program->path, refusal);
    return -ENOEXEC;
}

/* ---- segments ---- */

static uint32_t page_down(uint32_t address)
{
    return address & ~(PAGE_SIZE - 1);
}

static uint32_t page_up(uint32_t address)
{
    return page_down(address + PAGE_SIZE - 1);
}

static uint32_t protection_of(const struct elf_segment *segment)
{
    return (segment->rights & ELF_READ ? PROT_READ : 0) |
           (segment->rights & ELF_WRITE ? PROT_WRITE : 0) |
           (segment->rights & ELF_EXECUTE ? PROT_EXEC : 0);
}

static int map(struct space *space, uint32_t start, uint32_t end, uint32_t protection,
               struct backing *backing, uint32_t index)
{
    const struct space_mapping mapping = {
        .address = start,
        .length = end - start,
        .protection = protection,
        .flags = MAP_PRIVATE | MAP_FIXED | (backing == NULL ? MAP_ANONYMOUS : 0),
        .maximum = PROT_READ | PROT_WRITE | PROT_EXEC,
        .backing = backing,
        .index = index,
    };
    int32_t result = start < end ? space_map(space, &mapping) : 0;
    return result < 0 ? result : 0;
}

/* Pages of the file, then pages of zeros; the page in between has some of both. */
static int map_segment(struct space *space, const struct elf_segment *segment,
                       struct backing *backing)
{
    static const uint8_t zeros[PAGE_SIZE];
    uint32_t protection = protection_of(segment);
    uint32_t file_end = segment->address + segment->file_bytes;
    uint32_t end = page_up(segment->address + segment->memory_bytes);
    uint32_t middle = segment->file_bytes != 0 ? page_up(file_end) : page_down(segment->address);
    int error = map(space, page_down(segment->address), middle, protection, backing,
                    segment->offset / PAGE_SIZE);
    if (error == 0)
        error = map(space, middle, end, protection, NULL, 0);
    if (error == 0 && segment->memory_bytes > segment->file_bytes && file_end < middle)
        error = space_write(space, file_end, zeros, middle - file_end);
    return error;
}

static int map_image(struct space *space, const struct elf_image *image, struct file *file)
{
    struct backing *backing = file_backing(file);
    int error = backing != NULL ? 0 : -ENOEXEC;
    for (uint32_t i = 0; i < image->segment_count && error == 0; i++)
        error = map_segment(space, &image->segments[i], backing);
    if (backing != NULL)
        backing->ops->drop(backing);
    return error;
}

/* Reads as many bytes as that, or it is no program. */
static int read_exactly(struct file *file, void *to, uint32_t bytes, uint32_t offset)
{
    int32_t got = file_read_kernel(file, to, bytes, offset);
    if (got < 0)
        return got;
    return (uint32_t)got == bytes ? 0 : -ENOEXEC;
}

static int read_plan(const struct program *program, struct file *file, struct elf_room room,
                     struct elf_image *image)
{
    uint8_t header[ELF_HEADER_BYTES];
    struct elf_headers headers;
    const char *refusal = NULL;
    int error = read_exactly(file, header, sizeof(header), 0);
    if (error == 0)
        error = elf_read_header(header, &headers, &refusal);
    if (error != 0)
        return error == -ENOEXEC ? refuse(program, refusal) : error;
    uint32_t bytes = headers.count * ELF_HEADER_SIZE;
    uint8_t *table = kmalloc(bytes);
    if (table == NULL)
        return -ENOMEM;
    error = read_exactly(file, table, bytes, headers.offset);
    if (error == 0)
        error = elf_plan(header, table, file->inode->size, room, image);
    else
        image->refusal = "its program headers lie beyond the end of the file";
    kfree(table);
    return error == -ENOEXEC ? refuse(program, image->refusal) : error;
}

static int open_interpreter(const struct program *program, struct file **file)
{
    char path[ELF_PATH_MAX];
    int error = read_exactly(program->file, path, program->image.interpreter_bytes,
                             program->image.interpreter_offset);
    if (error != 0)
        return error;
    if (path[program->image.interpreter_bytes - 1] != '\0')
        return refuse(program, "its interpreter's name makes no sense");
    error = path_open_program(program->paths, path, file);
    if (error != 0)
        log_line("exec %s: its interpreter %s cannot be opened", program->path, path);
    return error;
}

static int load_interpreter(struct program *program)
{
    struct file *file;
    int error = open_interpreter(program, &file);
    if (error != 0)
        return error;
    struct elf_image *image = kmalloc(sizeof(*image));
    error = image != NULL ? read_plan(program, file, library_room, image) : -ENOMEM;
    if (error == 0)
        error = map_image(program->space, image, file);
    if (error == 0) {
        program->interpreter_base = elf_image_start(image);
        program->entry = image->entry;
    }
    kfree(image);
    file_drop(file);
    return error;
}

/* ---- the stack ---- */

/*
 * From the end of the row down, as Linux has it: a null word, the path, "i686", random bytes, the
 * strings, then, aligned to 16 bytes, from the stack pointer up: the number of arguments, pointers
 * to them, null, pointers to the environment, null, the auxiliary vector.
 */
struct builder {
    struct space *space;
    uint32_t at; /* what was written last begins here; grows down */
    int error;
};

static uint32_t push(struct builder *builder, const void *bytes, uint32_t count)
{
    builder->at -= count;
    if (builder->error == 0)
        builder->error = space_write(builder->space, builder->at, bytes, count);
    return builder->at;
}

static uint32_t push_string(struct builder *builder, const char *string)
{
    return push(builder, string, (uint32_t)strlen(string) + 1);
}

static void push_strings(struct builder *builder, const struct arguments *arguments)
{
    builder->at -= arguments->bytes;
    for (uint32_t offset = 0; offset < arguments->bytes && builder->error == 0;) {
        uint32_t bytes;
        const uint8_t *piece = arguments_piece(arguments, offset, &bytes);
        builder->error = space_write(builder->space, builder->at + offset, piece, bytes);
        offset += bytes;
    }
}

/* Pointers to `count` strings that lie one behind the other from `string` on; where they end. */
static uint32_t put_pointers(struct builder *builder, uint32_t at,
                             const struct arguments *arguments, uint32_t strings, uint32_t offset,
                             uint32_t count)
{
    while (count > 0 && builder->error == 0) {
        uint32_t string = strings + offset, bytes;
        builder->error = space_write(builder->space, at, &string, sizeof(string));
        at += sizeof(string);
        for (bool is_at_end = false; !is_at_end;) {
            const uint8_t *piece = arguments_piece(arguments, offset, &bytes);
            uint32_t length = (uint32_t)strnlen((const char *)piece, bytes);
            is_at_end = length < bytes;
            offset += is_at_end ? length + 1 : length;
        }
        count--;
    }
    return offset;
}

struct auxiliary {
    uint32_t type, value;
};

static uint32_t hardware_bits(void)
{
    uint32_t eax, ebx, ecx, edx = 0;
    __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    return edx;
}

static uint32_t make_auxiliary(const struct program *program, const struct process *process,
                               uint32_t random, uint32_t platform, uint32_t path,
                               struct auxiliary vector[AUXILIARY_MAX])
{
    const struct elf_image *image = &program->image;
    const struct auxiliary values[] = {
        {AT_HWCAP, hardware_bits()},
        {AT_PAGESZ, PAGE_SIZE},
        {AT_CLKTCK, CLOCK_TICKS_A_SECOND},
        {AT_PHDR, image->header_address},
        {AT_PHENT, ELF_HEADER_SIZE},
        {AT_PHNUM, image->header_count},
        {AT_BASE, program->interpreter_base},
        {AT_FLAGS, 0},
        {AT_ENTRY, image->entry},
        {AT_UID, process->uid},
        {AT_EUID, process->euid},
        {AT_GID, process->gid},
        {AT_EGID, process->egid},
        {AT_SECURE, 0},
        {AT_RANDOM, random},
        {AT_EXECFN, path},
        {AT_PLATFORM, platform},
        {AT_NULL, 0},
    };
    _Static_assert(ARRAY_COUNT(values) <= AUXILIARY_MAX, "they fit");
    memcpy(vector, values, sizeof(values));
    return ARRAY_COUNT(values);
}

static int fill_stack(struct program *program, const struct process *process,
                      const struct arguments *arguments)
{
    struct builder builder = {program->space, MAP_USER_END, 0};
    uint8_t random_bytes[RANDOM_BYTES];
    struct auxiliary vector[AUXILIARY_MAX];
    const uint32_t null = 0;
    push(&builder, &null, sizeof(null));
    uint32_t path = push_string(&builder, program->path);
    uint32_t platform = push_string(&builder, PLATFORM);
    random_fill(random_bytes, sizeof(random_bytes));
    uint32_t random = push(&builder, random_bytes, sizeof(random_bytes));
    push_strings(&builder, arguments);
    uint32_t strings = builder.at;
    uint32_t count = make_auxiliary(program, process, random, platform, path, vector);
    uint32_t pointers = arguments->argument_count + arguments->environment_count + 3;
    uint32_t bytes = count * sizeof(vector[0]) + pointers * sizeof(uint32_t);
    builder.at = (strings - bytes) & ~15u;
    program->stack = builder.at;
    uint32_t at = builder.at;
    if (builder.error == 0)
        builder.error = space_write(program->space, at, &arguments->argument_count, sizeof(at));
    uint32_t offset =
        put_pointers(&builder, at + 4, arguments, strings, 0, arguments->argument_count);
    at += 4 + 4 * (arguments->argument_count + 1);
    put_pointers(&builder, at, arguments, strings, offset, arguments->environment_count);
    at += 4 * (arguments->environment_count + 1);
    if (builder.error == 0)
        builder.error = space_write(program->space, at, vector, count * sizeof(vector[0]));
    program->arguments_start = strings;
    program->arguments_end = strings + arguments->argument_bytes;
    program->environment_end = strings + arguments->bytes;
    return builder.error == -EFAULT ? -E2BIG : builder.error;
}

/* Strings, pointers to them, and what stands around. */
static uint32_t stack_need(const struct program *program, const struct arguments *arguments)
{
    uint32_t pointers = arguments->argument_count + arguments->environment_count + 3;
    return page_up(arguments->bytes + (uint32_t)strlen(program->path) + pointers * 4 + 512);
}

/* ---- the whole ---- */

static int load(struct program *program, struct process *process, struct arguments *arguments)
{
    int error = read_plan(program, program->file, user_room, &program->image);
    if (error != 0)
        return error;
    program->space = space_create();
    if (program->space == NULL)
        return -ENOMEM;
    process_limit_space(process, program->space);
    program->entry = program->image.entry;
    error = map_image(program->space, &program->image, program->file);
    if (error == 0 && program->image.interpreter_bytes != 0)
        error = load_interpreter(program);
    if (error != 0)
        return error;
    space_set_brk(program->space, elf_image_end(&program->image));
    int32_t stack = space_map_stack(program->space, stack_need(program, arguments));
    return stack < 0 ? stack : fill_stack(program, process, arguments);
}

/* The words of a first line "#!INTERPRETER [ARGUMENT]": how many there are. */
static unsigned split_script(char *line, char **words)
{
    unsigned count = 0;
    char *end_of_line = strchr(line, '\n');
    if (end_of_line != NULL)
        *end_of_line = '\0';
    for (char *at = line; count < 2;) {
        while (*at == ' ' || *at == '\t')
            at++;
        if (*at == '\0')
            break;
        words[count++] = at;
        if (count == 2)
            break;
        while (*at != '\0' && *at != ' ' && *at != '\t')
            at++;
        if (*at != '\0')
            *at++ = '\0';
    }
    if (count == 2)
        for (size_t end = strlen(words[1]);
             end > 0 && (words[1][end - 1] == ' ' || words[1][end - 1] == '\t'); end--)
            words[1][end - 1] = '\0';
    return count;
}

/* Opens the file, and while it is a script, its interpreter; `line` holds the name of the last one.
 */
static int open_program(struct program *program, struct arguments *arguments,
                        char line[SCRIPT_LINE + 1])
{
    for (unsigned depth = 0;; depth++) {
        char first[SCRIPT_LINE + 1];
        char *words[2];
        int error = path_open_program(program->paths, program->path, &program->file);
        if (error != 0)
            return error;
        int32_t bytes = file_read_kernel(program->file, first, SCRIPT_LINE, 0);
        if (bytes < 0)
            return bytes;
        if (bytes < 2 || first[0] != '#' || first[1] != '!')
            return 0;
        if (depth == SCRIPT_DEPTH_MAX)
            return -ELOOP;
        first[bytes] = '\0';
        unsigned count = split_script(first + 2, words);
        if (count == 0)
            return -ENOEXEC;
        const char *const added[3] = {words[0], count == 2 ? words[1] : program->path,
                                      program->path};
        error = arguments_replace_first(arguments, added, count + 1);
        if (error != 0)
            return error;
        file_drop(program->file);
        program->file = NULL;
        memcpy(line, words[0], strlen(words[0]) + 1);
        program->path = line;
    }
}

static const char *last_name(const char *path)
{
    const char *name = path;
    for (const char *at = path; *at != '\0'; at++)
        if (*at == '/' && at[1] != '\0')
            name = at + 1;
    return name;
}

/* The absolute path, cut where it does not fit. */
static void note_path(struct process *process, const char *path)
{
    uint32_t length = 0;
    if (path[0] != '/') {
        struct inode *directory = path_working_directory(process->paths);
        int result =
            path_of_directory(process->paths, directory, process->path, sizeof(process->path) - 1);
        inode_drop(directory);
        length = result > 0 ? (uint32_t)result : 0;
        if (length > 1)
            process->path[length++] = '/';
    }
    size_t rest = strnlen(path, sizeof(process->path) - 1 - length);
    memcpy(process->path + length, path, rest);
    process->path[length + rest] = '\0';
}

/* What a process is named after, and where /proc finds its parts. */
static void describe(struct process *process, const struct program *program, const char *given)
{
    const struct elf_image *image = &program->image;
    struct inode *old = process->executable;
    process->executable = inode_hold_running(program->file->inode);
    inode_drop_running(old);
    note_path(process, program->path);
    thread_set_name(process->threads->thread, last_name(given));
    memcpy(process->name, process->threads->thread->name, sizeof(process->name));
    process->arguments_start = program->arguments_start;
    process->arguments_end = program->arguments_end;
    process->environment_end = program->environment_end;
    process->stack_start = program->stack;
    process->code_start = elf_image_start(image);
    process->code_end = image->segments[0].address + image->segments[0].file_bytes;
    const struct elf_segment *last = &image->segments[image->segment_count - 1];
    process->data_start = last->address;
    process->data_end = last->address + last->file_bytes;
    process->has_executed = true;
}

static void discard(struct program *program)
{
    if (program->space != NULL)
        space_drop(program->space);
    file_drop(program->file);
}

/* A table that others share is this process's own from now on. */
static int own_files(struct process *process)
{
    if (!file_table_is_shared(process->files))
        return 0;
    struct file_table *own = file_table_clone(process->files), *shared = process->files;
    if (own == NULL)
        return -ENOMEM;
    process->files = own;
    file_table_drop(shared);
    return 0;
}

static void enter_space(struct process *process, struct space *space)
{
    unsigned long saved = platform_interrupts_save();
    struct space *old = process->space;
    process->space = space;
    thread_use_paging(space_paging(space));
    platform_interrupts_restore(saved);
    process_end_vfork(process);
    if (old != NULL)
        space_drop(old);
}

/* The point from which on there is no way back. */
static void commit(struct process *process, struct program *program, const char *given)
{
    struct user_thread *user = user_thread_current();
    enter_space(process, program->space);
    program->space = NULL;
    describe(process, program, given);
    file_table_close_on_exec(process->files);
    signal_reset_for_exec(process);
    user->clear_on_exit = user->robust_list = 0;
    user_reset_machine();
    user_frame_init(process_user_frame(), program->entry, program->stack);
}

/* The struct is too large for a stack on which files are read as well. */
static int prepare(struct program **made, struct process *process, const char *path,
                   struct arguments *arguments, char line[SCRIPT_LINE + 1])
{
    struct program *program = kcalloc(1, sizeof(*program));
    if (program == NULL)
        return -ENOMEM;
    program->path = path;
    program->paths = process->paths;
    int error = open_program(program, arguments, line);
    if (error == 0)
        error = load(program, process, arguments);
    if (error != 0) {
        discard(program);
        kfree(program);
        return error;
    }
    *made = program;
    return 0;
}

int process_exec(const char *path, struct arguments *arguments)
{
    struct process *process = process_current();
    struct program *program;
    char line[SCRIPT_LINE + 1];
    int error = prepare(&program, process, path, arguments, line);
    if (error != 0)
        return error;
    error = own_files(process);
    if (error == 0)
        error = process_end_others();
    if (error == 0)
        commit(process, program, path);
    discard(program);
    kfree(program);
    return error;
}

int process_exec_first(struct process *process, const char *path, struct arguments *arguments)
{
    struct program *program;
    char line[SCRIPT_LINE + 1];
    int error = prepare(&program, process, path, arguments, line);
    if (error != 0)
        return error;
    struct thread *thread = process->threads->thread;
    process->space = program->space;
    program->space = NULL;
    thread->paging = space_paging(process->space);
    describe(process, program, path);
    user_frame_init(user_frame_of(thread), program->entry, program->stack);
    discard(program);
    kfree(program);
    thread_start(thread);
    return 0;
}
