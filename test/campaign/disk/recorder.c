// Loaded into the service by LD_PRELOAD: writes down everything it does to files under one folder, and makes
// operations fail when asked to. Linux with glibc.
//
//   CAMPAIGN_ROOT   the folder that is watched
//   CAMPAIGN_LOG    where records are appended; none are written if absent
//   CAMPAIGN_FAULT  a file of four little-endian 32-bit numbers that the campaign writes while the service runs:
//                   kind of fault, operations that still succeed, errno, and whether the fault stays
//
// A record: type (1 byte), inode (8), offset (8), length of the path (4), length of the data (4), path, data.
// The operation comes first and its record second, both under one lock, so the order of records is what happened.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATED = 'C', WRITTEN = 'W', TRUNCATED = 'T', SYNCED = 'S', RENAMED = 'R', REMOVED = 'D' };
enum { WRITE_FAULT = 1, SYNC_FAULT = 2, READ_FAULT = 3, SHORT_WRITE = 4 };

struct fault {
  _Atomic uint32_t kind;
  _Atomic int32_t before;
  _Atomic uint32_t error;
  _Atomic uint32_t stays;
};

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char root[PATH_MAX];
static size_t root_length;
static int log_file = -1;
static struct fault *fault;

#define REAL(name) ((__typeof__(&name))real(#name, &real_##name))
static void *real(const char *name, void **known) {
  if (!*known) *known = dlsym(RTLD_NEXT, name);
  return *known;
}
#define KEEP(name) static void *real_##name
KEEP(open); KEEP(open64); KEEP(openat); KEEP(openat64); KEEP(fopen); KEEP(fopen64);
KEEP(write); KEEP(writev); KEEP(pwritev64); KEEP(read); KEEP(pread); KEEP(pread64);
KEEP(ftruncate64); KEEP(posix_fallocate64); KEEP(fsync); KEEP(fdatasync); KEEP(rename); KEEP(unlink); KEEP(unlinkat);

__attribute__((constructor)) static void start(void) {
  const char *folder = getenv("CAMPAIGN_ROOT");
  if (!folder || !realpath(folder, root)) return;
  root_length = strlen(root);
  const char *log_path = getenv("CAMPAIGN_LOG");
  if (log_path) log_file = REAL(open)(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const char *fault_path = getenv("CAMPAIGN_FAULT");
  int fd = fault_path ? REAL(open)(fault_path, O_RDWR | O_CLOEXEC) : -1;
  if (fd >= 0) {
    void *page = mmap(NULL, sizeof(struct fault), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED) fault = page;
    close(fd);
  }
}

static int watched_path(const char *path) {
  return root_length > 0 && strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || !path[root_length]);
}

// The path of an open file, if it is watched. SQLite's shared memory is made again at every start.
static int watched(int fd, char *path) {
  if (root_length == 0) return 0;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return watched_path(path) && !(length > 4 && strcmp(path + length - 4, "-shm") == 0);
}

static uint64_t inode_of(int fd) {
  struct stat facts;
  return fstat(fd, &facts) == 0 ? facts.st_ino : 0;
}

static void record(char type, uint64_t inode, uint64_t offset, const char *path, const void *data, size_t length) {
  if (log_file < 0) return;
  int kept = errno;
  uint32_t path_length = strlen(path), data_length = length;
  size_t size = 25 + path_length + length;
  char *bytes = malloc(size), *at = bytes;
  *at++ = type;
  memcpy(at, &inode, 8), at += 8;
  memcpy(at, &offset, 8), at += 8;
  memcpy(at, &path_length, 4), at += 4;
  memcpy(at, &data_length, 4), at += 4;
  memcpy(at, path, path_length), at += path_length;
  if (length) memcpy(at, data, length);
  for (size_t done = 0; done < size;) {
    ssize_t n = REAL(write)(log_file, bytes + done, size - done);
    if (n <= 0) abort();
    done += n;
  }
  free(bytes);
  errno = kept;
}

// Whether this operation shall fail.
static int fails(uint32_t kind) {
  if (!fault || fault->kind != kind) return 0;
  if (atomic_fetch_sub(&fault->before, 1) > 0) return 0;
  if (!fault->stays) fault->kind = 0;
  errno = fault->error;
  return 1;
}

#define HOLD pthread_mutex_lock(&lock)
#define LET pthread_mutex_unlock(&lock)

static ssize_t vector_write(int fd, const struct iovec *parts, int count, off64_t offset, int placed) {
  char path[PATH_MAX];
  if (!watched(fd, path)) return placed ? REAL(pwritev64)(fd, parts, count, offset) : REAL(writev)(fd, parts, count);
  HOLD;
  ssize_t result = -1;
  if (!fails(WRITE_FAULT)) {
    off64_t at = placed ? offset : lseek64(fd, 0, SEEK_CUR);
    if (fcntl(fd, F_GETFL) & O_APPEND) at = lseek64(fd, 0, SEEK_END);
    struct iovec first = parts[0];
    if (first.iov_len > 1 && fails(SHORT_WRITE)) {
      first.iov_len /= 2;
      parts = &first, count = 1;
    }
    result = placed ? REAL(pwritev64)(fd, parts, count, offset) : REAL(writev)(fd, parts, count);
    ssize_t left = result;
    for (int i = 0; i < count && left > 0; i++) {
      size_t length = parts[i].iov_len < (size_t)left ? parts[i].iov_len : (size_t)left;
      record(WRITTEN, inode_of(fd), at, path, parts[i].iov_base, length);
      at += length, left -= length;
    }
  }
  LET;
  return result;
}

static ssize_t single_write(int fd, const void *data, size_t length, off64_t offset, int placed) {
  struct iovec part = {(void *)data, length};
  return vector_write(fd, &part, 1, offset, placed);
}

ssize_t write(int fd, const void *data, size_t length) {
  return root_length ? single_write(fd, data, length, 0, 0) : REAL(write)(fd, data, length);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return single_write(fd, data, length, offset, 1); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) { return single_write(fd, data, length, offset, 1); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return vector_write(fd, parts, count, 0, 0); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return vector_write(fd, parts, count, offset, 1); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) { return vector_write(fd, parts, count, offset, 1); }

static int read_fails(int fd) {
  char path[PATH_MAX];
  return fault && fault->kind == READ_FAULT && watched(fd, path) && fails(READ_FAULT);
}
ssize_t read(int fd, void *data, size_t length) { return read_fails(fd) ? -1 : REAL(read)(fd, data, length); }
ssize_t pread(int fd, void *data, size_t length, off_t offset) { return read_fails(fd) ? -1 : REAL(pread)(fd, data, length, offset); }
ssize_t pread64(int fd, void *data, size_t length, off64_t offset) {
  return read_fails(fd) ? -1 : REAL(pread64)(fd, data, length, offset);
}

static int cut(int fd, off64_t length) {
  char path[PATH_MAX];
  if (!watched(fd, path)) return REAL(ftruncate64)(fd, length);
  HOLD;
  int result = fails(WRITE_FAULT) ? -1 : REAL(ftruncate64)(fd, length);
  if (result == 0) record(TRUNCATED, inode_of(fd), length, path, NULL, 0);
  LET;
  return result;
}
int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut(fd, length); }

static int reserve(int fd, off64_t offset, off64_t length) {
  char path[PATH_MAX];
  if (!watched(fd, path)) return REAL(posix_fallocate64)(fd, offset, length);
  HOLD;
  struct stat facts = {0};
  int result = fails(WRITE_FAULT) ? errno : REAL(posix_fallocate64)(fd, offset, length);
  if (result == 0 && fstat(fd, &facts) == 0) record(TRUNCATED, facts.st_ino, facts.st_size, path, NULL, 0);
  LET;
  return result;
}
int posix_fallocate(int fd, off_t offset, off_t length) { return reserve(fd, offset, length); }
int posix_fallocate64(int fd, off64_t offset, off64_t length) { return reserve(fd, offset, length); }

static int sync_file(int fd, int data_only) {
  char path[PATH_MAX];
  if (!watched(fd, path)) return data_only ? REAL(fdatasync)(fd) : REAL(fsync)(fd);
  HOLD;
  // The disk is not waited for: what counts is what the service asked for.
  int result = fails(SYNC_FAULT) ? -1 : 0;
  if (result == 0) record(SYNCED, inode_of(fd), 0, path, NULL, 0);
  LET;
  return result;
}
int fsync(int fd) { return sync_file(fd, 0); }
int fdatasync(int fd) { return sync_file(fd, 1); }

// An absolute path without links, of a file that need not exist.
static int resolve(const char *path, char *out) {
  char folder[PATH_MAX], copy[PATH_MAX];
  snprintf(copy, sizeof copy, "%s", path);
  char *slash = strrchr(copy, '/');
  const char *name = slash ? slash + 1 : copy;
  if (slash) *slash = 0;
  if (!realpath(slash ? (*copy ? copy : "/") : ".", folder)) return 0;
  return snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

static int opening(int (*really)(const char *, int, mode_t), const char *path, int flags, mode_t mode) {
  char full[PATH_MAX];
  if (root_length == 0 || !(flags & (O_CREAT | O_TRUNC)) || !resolve(path, full) || !watched_path(full))
    return really(path, flags, mode);
  HOLD;
  int existed = access(full, F_OK) == 0;
  int fd = !existed && fails(WRITE_FAULT) ? -1 : really(path, flags, mode);
  if (fd >= 0 && watched(fd, full)) {
    if (!existed) record(CREATED, inode_of(fd), 0, full, NULL, 0);
    else if (flags & O_TRUNC) record(TRUNCATED, inode_of(fd), 0, full, NULL, 0);
  }
  LET;
  return fd;
}
#define MODE(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }
static int really_open(const char *path, int flags, mode_t mode) { return REAL(open)(path, flags, mode); }
static int really_open64(const char *path, int flags, mode_t mode) { return REAL(open64)(path, flags, mode); }
int open(const char *path, int flags, ...) { MODE(flags); return opening(really_open, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags); return opening(really_open64, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) {
  MODE(flags);
  if (folder == AT_FDCWD || *path == '/') return opening(really_open, path, flags, mode);
  return REAL(openat)(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
  MODE(flags);
  if (folder == AT_FDCWD || *path == '/') return opening(really_open64, path, flags, mode);
  return REAL(openat64)(folder, path, flags, mode);
}

static FILE *stream(FILE *(*really)(const char *, const char *), const char *path, const char *how) {
  char full[PATH_MAX];
  if (root_length == 0 || *how == 'r' || !resolve(path, full) || !watched_path(full)) return really(path, how);
  HOLD;
  int existed = access(full, F_OK) == 0;
  FILE *file = really(path, how);
  if (file && !existed) record(CREATED, inode_of(fileno(file)), 0, full, NULL, 0);
  else if (file && *how == 'w') record(TRUNCATED, inode_of(fileno(file)), 0, full, NULL, 0);
  LET;
  return file;
}
FILE *fopen(const char *path, const char *how) { return stream(REAL(fopen), path, how); }
FILE *fopen64(const char *path, const char *how) { return stream(REAL(fopen64), path, how); }

static int moved(int result, const char *from, const char *to) {
  if (result == 0) record(RENAMED, 0, 0, from, to, strlen(to));
  return result;
}
int rename(const char *from, const char *to) {
  char old[PATH_MAX], new[PATH_MAX];
  if (!resolve(from, old) || !resolve(to, new) || !watched_path(new)) return REAL(rename)(from, to);
  HOLD;
  int result = fails(WRITE_FAULT) ? -1 : moved(REAL(rename)(from, to), old, new);
  LET;
  return result;
}
int unlink(const char *path) {
  char full[PATH_MAX];
  if (!resolve(path, full) || !watched_path(full)) return REAL(unlink)(path);
  HOLD;
  int result = REAL(unlink)(path);
  if (result == 0) record(REMOVED, 0, 0, full, NULL, 0);
  LET;
  return result;
}
int unlinkat(int folder, const char *path, int flags) {
  if (folder == AT_FDCWD && flags == 0) return unlink(path);
  return REAL(unlinkat)(folder, path, flags);
}

// Copies inside the kernel would not be seen: callers fall back to reading and writing.
ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t length, unsigned flags) {
  (void)from, (void)from_offset, (void)to, (void)to_offset, (void)length, (void)flags;
  errno = ENOSYS;
  return -1;
}
