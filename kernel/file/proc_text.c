#include <stdarg.h>

#include "kernel/file/internal.h"
#include "kernel/file/proc_internal.h"
#include "kernel/include/errors.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/space/transfer.h"

/* Texts of /proc: made whole, then read as a file. */

#define FIRST_ROOM 1024u
#define LINE_MAX   512u

static bool grow(struct proc_text *text, size_t needed)
{
    size_t room = text->room == 0 ? FIRST_ROOM : text->room;
    while (room < needed)
        room *= 2;
    if (room == text->room)
        return true;
    char *bytes = krealloc(text->bytes, room);
    if (bytes == NULL) {
        text->error = -ENOMEM;
        return false;
    }
    text->bytes = bytes;
    text->room = room;
    return true;
}

void proc_text_put(void *context, const char *bytes, size_t length)
{
    struct proc_text *text = context;
    if (text->error != 0 || length > PROC_TEXT_MAX - text->length ||
        !grow(text, text->length + length))
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

void proc_text_print(struct proc_text *text, const char *format, ...)
{
    char line[LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = format_text_arguments(line, sizeof(line), format, arguments);
    va_end(arguments);
    proc_text_put(text, line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

static void forget(struct file *file)
{
    struct proc_text *text = file->private;
    if (text != NULL)
        kfree(text->bytes);
    kfree(text);
    file->private = NULL;
}

/* Makes the text anew. */
static int make(struct file *file)
{
    struct proc_inode *proc = proc_inode_of(file->inode);
    forget(file);
    struct proc_text *text = kcalloc(1, sizeof(*text));
    if (text == NULL)
        return -ENOMEM;
    file->private = text;
    int error = proc->node->print(text, proc->id);
    return error != 0 ? error : text->error;
}

static int32_t read_text(struct file *file, struct transfer *to, uint64_t *position)
{
    int error = *position == 0 || file->private == NULL ? make(file) : 0;
    const struct proc_text *text = file->private;
    if (error != 0) {
        forget(file);
        return error;
    }
    if (*position >= text->length)
        return 0;
    int32_t moved = transfer_put(to, text->bytes + *position, (size_t)(text->length - *position));
    if (moved > 0)
        *position += (uint32_t)moved;
    return moved;
}

static const struct file_operations text_operations = {.read = read_text, .close = forget};

static int open_text(struct inode *inode, struct file *file)
{
    (void)inode;
    if (file_is_writable(file))
        return -EACCES;
    file->operations = &text_operations;
    file->traits |= FILE_CAN_SEEK;
    return 0;
}

void proc_destroy(struct inode *inode)
{
    struct inode *parent = inode->parent;
    kfree(proc_inode_of(inode));
    inode_drop(parent);
}

static const struct inode_operations text_inode_operations = {.open = open_text,
                                                              .destroy = proc_destroy};

/* Numbers are the same each time that the same name is looked up. */
uint64_t proc_number_of(const struct proc_node *node, uint32_t id, uint32_t descriptor)
{
    uint32_t name = 1;
    for (const char *at = node->name; *at != '\0'; at++)
        name = name * 31 + (uint8_t)*at;
    return 1ull << 62 | (uint64_t)id << 28 | (uint64_t)(descriptor & 0xFFF) << 16 | (name & 0xFFFF);
}

struct inode *proc_make_inode(const struct proc_node *node, uint32_t id, uint32_t descriptor,
                              struct inode *parent)
{
    struct proc_inode *proc = kcalloc(1, sizeof(*proc));
    if (proc == NULL)
        return NULL;
    inode_init(&proc->inode, node->operations != NULL ? node->operations : &text_inode_operations,
               node->mode);
    proc->inode.device = PROC_DEVICE;
    proc->inode.number = proc_number_of(node, id, descriptor);
    proc->inode.parent = parent == NULL ? NULL : inode_hold(parent);
    proc->node = node;
    proc->id = id;
    proc->descriptor = descriptor;
    return &proc->inode;
}
