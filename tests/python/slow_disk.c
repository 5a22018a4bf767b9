// A disk that is slow: preloaded, it holds up every write and sync of files below $SLOW_DISK by
// $SLOW_DISK_MS.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static void hold_up(int fd) {
    const char *folder = getenv("SLOW_DISK"), *ms = getenv("SLOW_DISK_MS");
    char link[64], path[PATH_MAX];
    if (!folder || !ms) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder)) == 0) usleep(1000 * (useconds_t)atoi(ms));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void* data, size_t bytes) {
    hold_up(fd);
    return REAL(write)(fd, data, bytes);
}

ssize_t pwrite(int fd, const void* data, size_t bytes, off_t at) {
    hold_up(fd);
    return REAL(pwrite)(fd, data, bytes, at);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
    hold_up(fd);
    return REAL(writev)(fd, parts, count);
}

int fsync(int fd) {
    hold_up(fd);
    return REAL(fsync)(fd);
}

int fdatasync(int fd) {
    hold_up(fd);
    return REAL(fdatasync)(fd);
}
