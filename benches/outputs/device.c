/* A device at the far end of a pseudo-terminal: stamps each byte that it reads, and prints what it read.
 *
 *     device FD PRIORITY        ends when its standard input does
 *
 * In C, because an interpreter that was asleep takes some 25 us to look at the clock.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { most = 1 << 20 };
static struct {
    long long at_ns;
    unsigned char byte;
} found[most];

static long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int count, char **words) {
    if (count != 3) return 2;
    struct pollfd ends[2] = {{atoi(words[1]), POLLIN, 0}, {0, POLLIN, 0}};
    const struct sched_param priority = {atoi(words[2])};
    sched_setscheduler(0, SCHED_FIFO, &priority); /* not granted: what that costs is in the numbers */
    puts("ready");
    fflush(stdout);
    int bytes = 0;
    while (poll(ends, 2, -1) > 0 && bytes < most) {
        const long long at_ns = now_ns();
        if (!(ends[0].revents & POLLIN)) break;
        if (read(ends[0].fd, &found[bytes].byte, 1) != 1) break;
        found[bytes++].at_ns = at_ns;
    }
    for (int i = 0; i < bytes; ++i) printf("%lld %d\n", found[i].at_ns, found[i].byte);
    return 0;
}
