#ifndef KERNEL_FILE_LINUX_H
#define KERNEL_FILE_LINUX_H

#include "kernel/include/types.h"

/* Numbers and structures of Linux's interface on i386 that concern files: include/uapi/asm-generic
 * fcntl.h, stat.h, termbits.h, ioctls.h, poll.h, and arch/x86/include/uapi/asm/stat.h. */

#define PATH_MAX            4096 /* with the closing zero */
#define NAME_MAX            255
#define PIPE_BUF            4096

#define S_IFMT              0170000u
#define S_IFSOCK            0140000u
#define S_IFLNK             0120000u
#define S_IFREG             0100000u
#define S_IFBLK             0060000u
#define S_IFDIR             0040000u
#define S_IFCHR             0020000u
#define S_IFIFO             0010000u
#define S_ISUID             04000u
#define S_ISGID             02000u
#define S_ISVTX             01000u

#define O_ACCMODE           03u
#define O_RDONLY            00u
#define O_WRONLY            01u
#define O_RDWR              02u
#define O_CREAT             0100u
#define O_EXCL              0200u
#define O_NOCTTY            0400u
#define O_TRUNC             01000u
#define O_APPEND            02000u
#define O_NONBLOCK          04000u
#define O_DSYNC             010000u
#define O_ASYNC             020000u
#define O_DIRECT            040000u
#define O_LARGEFILE         0100000u
#define O_DIRECTORY         0200000u
#define O_NOFOLLOW          0400000u
#define O_NOATIME           01000000u
#define O_CLOEXEC           02000000u
#define O_SYNC              04010000u
#define O_PATH              010000000u
#define O_TMPFILE           020200000u

#define AT_FDCWD            (-100)
#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_EACCESS          0x200u
#define AT_REMOVEDIR        0x200u
#define AT_SYMLINK_FOLLOW   0x400u
#define AT_NO_AUTOMOUNT     0x800u
#define AT_EMPTY_PATH       0x1000u
#define AT_STATX_SYNC_TYPE  0x6000u

#define RENAME_NOREPLACE    1u
#define RENAME_EXCHANGE     2u

#define SEEK_SET            0
#define SEEK_CUR            1
#define SEEK_END            2
#define SEEK_DATA           3
#define SEEK_HOLE           4

#define POLLIN              0x001u
#define POLLPRI             0x002u
#define POLLOUT             0x004u
#define POLLERR             0x008u
#define POLLHUP             0x010u
#define POLLNVAL            0x020u
#define POLLRDNORM          0x040u
#define POLLRDBAND          0x080u
#define POLLWRNORM          0x100u
#define POLLWRBAND          0x200u

#define F_DUPFD             0
#define F_GETFD             1
#define F_SETFD             2
#define F_GETFL             3
#define F_SETFL             4
#define F_GETLK             5
#define F_SETLK             6
#define F_SETLKW            7
#define F_SETOWN            8
#define F_GETOWN            9
#define F_GETLK64           12
#define F_SETLK64           13
#define F_SETLKW64          14
#define F_OFD_GETLK         36
#define F_OFD_SETLK         37
#define F_OFD_SETLKW        38
#define F_DUPFD_CLOEXEC     1030
#define F_SETPIPE_SZ        1031
#define F_GETPIPE_SZ        1032
#define FD_CLOEXEC          1u

#define F_RDLCK             0
#define F_WRLCK             1
#define F_UNLCK             2

#define LOCK_SH             1u
#define LOCK_EX             2u
#define LOCK_NB             4u
#define LOCK_UN             8u

#define TCGETS              0x5401u
#define TCSETS              0x5402u
#define TCSETSW             0x5403u
#define TCSETSF             0x5404u
#define TCSBRK              0x5409u
#define TCXONC              0x540Au
#define TCFLSH              0x540Bu
#define TIOCSCTTY           0x540Eu
#define TIOCGPGRP           0x540Fu
#define TIOCSPGRP           0x5410u
#define TIOCOUTQ            0x5411u
#define TIOCGWINSZ          0x5413u
#define TIOCSWINSZ          0x5414u
#define FIONREAD            0x541Bu
#define FIONBIO             0x5421u
#define TIOCNOTTY           0x5422u
#define TCSBRKP             0x5425u
#define TIOCGSID            0x5429u
#define FIONCLEX            0x5450u
#define FIOCLEX             0x5451u

/* Signals that files and terminals send. */
#define SIGHUP   1
#define SIGINT   2
#define SIGQUIT  3
#define SIGPIPE  13
#define SIGXFSZ  25
#define SIGCONT  18
#define SIGTSTP  20
#define SIGTTIN  21
#define SIGTTOU  22
#define SIGWINCH 28

/* A device's number, as makedev(3) has it for small numbers. */
#define DEVICE_NUMBER(major, minor) ((uint32_t)(major) << 8 | (uint32_t)(minor))

#endif
