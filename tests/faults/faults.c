/*
 * Makes the system fail as disks and full machines do, for one process and the files under one path.
 *
 *   cc -shared -fPIC -O2 -o faults.so faults.c -ldl
 *   FAULTS_PATH=/derived/ FAULTS_CONTROL=/tmp/control LD_PRELOAD=./faults.so planledger serve ...
 *
 * FAULTS_PATH: calls count on files whose path holds this. FAULTS_CONTROL: a file of RULES rules,
 * which may be changed while the process runs; it is mapped, so that a look at it costs nothing. A
 * rule is six numbers of 64 bits in the machine's order:
 *
 *   call    0 none (the rule is off), 1 read, 2 write, 3 open, 4 sync, 5 give or take a name (rename,
 *           remove, make a folder), 6 open to write
 *   fault   0 the call does half of what is asked; below 1000 it fails with this errno; 1000 + errno
 *           it does half and then fails
 *   skip    calls that are let through first
 *   count   calls that then fail; after them all is well again
 *   seen    calls so far
 *   failed  of them, how many failed
 *
 * After the rules comes one more number, signed: by how many seconds the clock of the day is wrong.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { READ = 1, WRITE, OPEN, SYNC, NAME, OPEN_TO_WRITE };
enum { RULES = 4, FILES = 65536, TORN = 1000 };

struct rule {
  uint64_t call, fault, skip, count, seen, failed;
};

static struct rule *rules;
static volatile int64_t *shift;
static const char *part;
static volatile char counts[FILES];

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
  const char *control = getenv("FAULTS_CONTROL");
  part = getenv("FAULTS_PATH");
  if (!control || !part) return;
  int file = open(control, O_RDWR | O_CLOEXEC);
  if (file < 0) abort();
  size_t size = RULES * sizeof(struct rule) + sizeof *shift;
  void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (at == MAP_FAILED) abort();
  close(file);
  rules = at;
  shift = (int64_t *)(rules + RULES);
}

/* The fault that this call meets; -1 if none. */
static int64_t fault(uint64_t call) {
  for (int i = 0; rules && i < RULES; i++) {
    struct rule *rule = &rules[i];
    if (__atomic_load_n(&rule->call, __ATOMIC_ACQUIRE) != call) continue;
    uint64_t seen = __atomic_fetch_add(&rule->seen, 1, __ATOMIC_ACQ_REL);
    if (seen < rule->skip || seen - rule->skip >= rule->count) continue;
    __atomic_fetch_add(&rule->failed, 1, __ATOMIC_ACQ_REL);
    return (int64_t)rule->fault;
  }
  return -1;
}

static int is_counted(int file) { return file >= 0 && file < FILES && counts[file]; }

static int opened(int file, const char *path) {
  if (file >= 0 && file < FILES) counts[file] = path && part && strstr(path, part) != NULL;
  return file;
}

/* Whether a call on a path fails. Half of it is none. */
static int refuses(uint64_t call, const char *path) {
  if (!path || !part || !strstr(path, part)) return 0;
  int64_t met = fault(call);
  if (met <= 0) return 0;
  errno = (int)(met % TORN);
  return 1;
}

static int refuses_open(const char *path, int flags) {
  int writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
  return refuses(OPEN, path) || (writes && refuses(OPEN_TO_WRITE, path));
}

static mode_t mode_of(int flags, va_list more) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
}

#define OPENING(name) \
  int name(const char *path, int flags, ...) { \
    REAL(int, #name, const char *, int, ...); \
    va_list more; \
    va_start(more, flags); \
    mode_t mode = mode_of(flags, more); \
    va_end(more); \
    if (refuses_open(path, flags)) return -1; \
    return opened(real(path, flags, mode), path); \
  }
OPENING(open)
OPENING(open64)

#define OPENING_AT(name) \
  int name(int directory, const char *path, int flags, ...) { \
    REAL(int, #name, int, const char *, int, ...); \
    va_list more; \
    va_start(more, flags); \
    mode_t mode = mode_of(flags, more); \
    va_end(more); \
    if (refuses_open(path, flags)) return -1; \
    return opened(real(directory, path, flags, mode), path); \
  }
OPENING_AT(openat)
OPENING_AT(openat64)

int close(int file) {
  REAL(int, "close", int);
  if (file >= 0 && file < FILES) counts[file] = 0;
  return real(file);
}

/* What a call that moves `size` bytes does instead: `move` moves that many. */
#define MOVING(which, size, move) \
  int64_t met = is_counted(file) ? fault(which) : -1; \
  size_t length = size; \
  if (met < 0) return move; \
  if (met == 0 || met > TORN) length = length / 2; \
  if (met == 0) return move; \
  if (met > TORN) { ssize_t moved = move; (void)moved; } \
  errno = (int)(met % TORN); \
  return -1

ssize_t read(int file, void *bytes, size_t size) {
  REAL(ssize_t, "read", int, void *, size_t);
  MOVING(READ, size, real(file, bytes, length));
}

ssize_t write(int file, const void *bytes, size_t size) {
  REAL(ssize_t, "write", int, const void *, size_t);
  MOVING(WRITE, size, real(file, bytes, length));
}

#define READING_AT(name) \
  ssize_t name(int file, void *bytes, size_t size, off64_t at) { \
    REAL(ssize_t, #name, int, void *, size_t, off64_t); \
    MOVING(READ, size, real(file, bytes, length, at)); \
  }
READING_AT(pread)
READING_AT(pread64)

#define WRITING_AT(name) \
  ssize_t name(int file, const void *bytes, size_t size, off64_t at) { \
    REAL(ssize_t, #name, int, const void *, size_t, off64_t); \
    MOVING(WRITE, size, real(file, bytes, length, at)); \
  }
WRITING_AT(pwrite)
WRITING_AT(pwrite64)

#define SYNCING(name, parameters, types, arguments) \
  int name parameters { \
    REAL(int, #name, types); \
    int64_t met = is_counted(file) ? fault(SYNC) : -1; \
    if (met <= 0) return real arguments; \
    errno = (int)(met % TORN); \
    return -1; \
  }
#define RANGE int, off64_t, off64_t, unsigned int
SYNCING(fsync, (int file), int, (file))
SYNCING(fdatasync, (int file), int, (file))
SYNCING(sync_file_range, (int file, off64_t at, off64_t size, unsigned int flags), RANGE,
        (file, at, size, flags))

int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  return refuses(NAME, to) ? -1 : real(from, to);
}

int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  return refuses(NAME, path) ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode) {
  REAL(int, "mkdir", const char *, mode_t);
  return refuses(NAME, path) ? -1 : real(path, mode);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  REAL(int, "clock_gettime", clockid_t, struct timespec *);
  int done = real(clock, time);
  if (!done && clock == CLOCK_REALTIME && shift) time->tv_sec += *shift;
  return done;
}
