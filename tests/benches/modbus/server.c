/* A fast Modbus TCP server that all clients of the benchmark are measured against: plain sockets and epoll, so that it is
 * neither of the libraries that are compared. It knows functions 3 and 4 alone.
 *
 * Each word says where and when it was read: its high byte is made of unit and address, its low byte counts the seconds of
 * the wall clock. So every client can judge whether a value is its own register's, and fresh.
 *
 * On stdout the port. For each line on stdin a line of numbers since the last one: requests, words, periods in which a
 * register was not read though it had been read before (a gap of n seconds and a half misses n of them), periods that came
 * more than 100 ms late, the longest gap in milliseconds. It ends when stdin does. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 1024, FRAME = 260, UNITS = 256, ADDRESSES = 256 };

static struct { unsigned char in[FRAME]; size_t held; } client[CLIENTS];
static int64_t seen[UNITS][ADDRESSES];
static uint64_t requests, words, missed, late;
static int64_t longest;

static int64_t milliseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void note(unsigned unit, unsigned address, int64_t now) {
    int64_t *last = &seen[unit][address % ADDRESSES];
    if (*last) {
        int64_t gap = now - *last;
        if (gap > longest) longest = gap;
        if (gap >= 1500) missed += (uint64_t)((gap + 500) / 1000 - 1);
        else if (gap > 1100) late++;
    }
    *last = now;
}

/* Answers the whole frames that have come in; -1 ends the connection. */
static int answer(int fd) {
    unsigned char *in = client[fd].in, out[FRAME];
    while (client[fd].held >= 12) {
        size_t length = 6 + (size_t)(in[4] << 8 | in[5]);
        if (length != 12 || (in[7] != 3 && in[7] != 4)) return -1;
        unsigned unit = in[6], address = in[8] << 8 | in[9], count = in[10] << 8 | in[11];
        if (count == 0 || count > 125) return -1;
        int64_t now = milliseconds(CLOCK_MONOTONIC), second = milliseconds(CLOCK_REALTIME) / 1000;
        memcpy(out, in, 8);
        out[4] = (unsigned char)((3 + 2 * count) >> 8);
        out[5] = (unsigned char)(3 + 2 * count);
        out[8] = (unsigned char)(2 * count);
        for (unsigned n = 0; n < count; n++) {
            out[9 + 2 * n] = (unsigned char)(address + n + 37 * unit);
            out[10 + 2 * n] = (unsigned char)second;
            note(unit, address + n, now);
        }
        requests++;
        words += count;
        if (send(fd, out, 9 + 2 * count, MSG_NOSIGNAL) != (ssize_t)(9 + 2 * count)) return -1;
        client[fd].held -= length;
        memmove(in, in + length, client[fd].held);
    }
    return 0;
}

int main(void) {
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0), events = epoll_create1(0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 256)) return perror("listen"), 1;
    getsockname(listener, (struct sockaddr *)&at, &size);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[64];
    epoll_ctl(events, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = STDIN_FILENO;
    epoll_ctl(events, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    for (;;) {
        int count = epoll_wait(events, ready, 64, -1);
        for (int n = 0; n < count; n++) {
            int fd = ready[n].data.fd;
            if (fd == listener) {
                int new = accept(listener, NULL, NULL);
                if (new < 0) continue;
                if (new >= CLIENTS) { close(new); continue; }
                setsockopt(new, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                client[new].held = 0;
                event = (struct epoll_event){.events = EPOLLIN, .data.fd = new};
                epoll_ctl(events, EPOLL_CTL_ADD, new, &event);
            } else if (fd == STDIN_FILENO) {
                char line[64];
                if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;
                printf("%llu %llu %llu %llu %lld\n", (unsigned long long)requests, (unsigned long long)words,
                       (unsigned long long)missed, (unsigned long long)late, (long long)longest);
                fflush(stdout);
                requests = words = missed = late = 0;
                longest = 0;
                if (line[0] == 'n') memset(seen, 0, sizeof seen); /* a new client: gaps before it are nobody's */
            } else {
                ssize_t got = recv(fd, client[fd].in + client[fd].held, FRAME - client[fd].held, 0);
                if (got > 0) client[fd].held += (size_t)got;
                if (got <= 0 || answer(fd) < 0) close(fd);
            }
        }
    }
}
