/* The bare loop on libmodbus: what a C programmer writes who wants the words and nothing else.
 *   libmodbus flat PORT COUNT SECONDS                 one connection, one question after the other
 *   libmodbus load PORT CONNECTIONS POINTS SECONDS    all points of all connections each second
 * It says "ready", then one line of JSON, and ends when stdin does. */
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 250, WORDS = 125 };

static double now(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static modbus_t *open_to(int port, int unit) {
    modbus_t *to = modbus_new_tcp("127.0.0.1", port);
    modbus_set_slave(to, unit);
    if (modbus_connect(to)) { perror("connect"); exit(1); }
    return to;
}

/* How many words are not of this place or not of this second. */
static void judge(const uint16_t *words, int count, int address, int unit, long *wrong, long *stale) {
    long second = (long)now(CLOCK_REALTIME);
    for (int n = 0; n < count; n++) {
        *wrong += (words[n] >> 8) != ((address + n + 37 * unit) & 0xff);
        *stale += ((second - (words[n] & 0xff)) & 0xff) > 2;
    }
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    int is_flat = !strcmp(argv[1], "flat"), port = atoi(argv[2]);
    long requests = 0, values = 0, wrong = 0, stale = 0, failed = 0;
    uint16_t words[WORDS];
    modbus_t *line[CONNECTIONS];
    int lines = is_flat ? 1 : atoi(argv[3]), points = is_flat ? 0 : atoi(argv[4]);
    for (int n = 0; n < lines; n++) line[n] = open_to(port, n + 1);
    printf("ready\n");
    fflush(stdout);
    double begun = now(CLOCK_MONOTONIC), seconds = atof(argv[is_flat ? 4 : 5]);
    if (is_flat) {
        int count = atoi(argv[3]);
        while (now(CLOCK_MONOTONIC) - begun < seconds) {
            if (modbus_read_registers(line[0], 0, count, words) != count) { failed++; break; }
            requests++;
            values += count;
            if (requests % 64 == 0) judge(words, count, 0, 1, &wrong, &stale);
        }
    }
    for (int cycle = 0; !is_flat && cycle < (int)seconds; cycle++) {
        double until = begun + cycle - now(CLOCK_MONOTONIC);
        if (until > 0) usleep((useconds_t)(until * 1e6));
        for (int n = 0; n < lines; n++)
            for (int address = 0; address < points; address += WORDS) {
                int count = points - address < WORDS ? points - address : WORDS;
                if (modbus_read_registers(line[n], address, count, words) != count) { failed++; continue; }
                requests++;
                values += count;
                judge(words, count, address, n + 1, &wrong, &stale);
            }
    }
    double left = begun + seconds - now(CLOCK_MONOTONIC);
    if (left > 0) usleep((useconds_t)(left * 1e6));
    printf("{\"requests\":%ld,\"values\":%ld,\"wrong\":%ld,\"stale\":%ld,\"failed\":%ld,\"seconds\":%f}\n", requests, values, wrong,
           stale, failed, now(CLOCK_MONOTONIC) - begun);
    fflush(stdout);
    return (int)read(STDIN_FILENO, words, 1) > 0;
}
