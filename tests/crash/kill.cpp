// LD_PRELOAD: ends the process by SIGKILL at the n-th call that changes a file (GRADUS_KILL_AT=n),
// in the middle of it where it is a write. With GRADUS_KILL_COUNT=FILE it writes the number of such
// calls there in the end. The product knows nothing of this.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

namespace {

std::atomic<long> calls{0};
long kill_at = -1;

[[gnu::constructor]] void begin() {
  if (const char* at = getenv("GRADUS_KILL_AT")) kill_at = atol(at);
}

[[gnu::destructor]] void count() {
  const char* path = getenv("GRADUS_KILL_COUNT");
  FILE* out = path ? fopen(path, "w") : nullptr;
  if (!out) return;
  fprintf(out, "%ld\n", calls.load());
  fclose(out);
}

[[noreturn]] void end() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

bool is_turn() { return ++calls == kill_at; }

// The C library's function of that name, which ours stands before.
template <class F>
F* real(F* /*ours*/, const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// Killed before the call: calls that have no middle.
// NOLINTBEGIN(bugprone-macro-parentheses): a function's name and lists in parentheses
#define BEFORE(name, parameters, arguments)           \
  extern "C" int name parameters {                    \
    static auto* const original = real(&name, #name); \
    if (is_turn()) end();                             \
    return original arguments;                        \
  }
// NOLINTEND(bugprone-macro-parentheses)

#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmissing-attributes"
#endif
BEFORE(rename, (const char* from, const char* to) noexcept, (from, to))
BEFORE(renameat2, (int a, const char* from, int b, const char* to, unsigned flags) noexcept,
       (a, from, b, to, flags))
BEFORE(fsync, (int file), (file))
BEFORE(link, (const char* from, const char* to) noexcept, (from, to))
BEFORE(linkat, (int a, const char* from, int b, const char* to, int flags) noexcept,
       (a, from, b, to, flags))
BEFORE(unlink, (const char* path) noexcept, (path))
BEFORE(unlinkat, (int a, const char* path, int flags) noexcept, (a, path, flags))
BEFORE(remove, (const char* path) noexcept, (path))
BEFORE(rmdir, (const char* path) noexcept, (path))
BEFORE(mkdir, (const char* path, mode_t mode) noexcept, (path, mode))
BEFORE(fflush, (FILE * file), (file))
BEFORE(fclose, (FILE * file), (file))

// Killed in the middle: half of it is written.
extern "C" size_t fwrite(const void* bytes, size_t size, size_t number, FILE* file) {
  static auto* const original = real(&fwrite, "fwrite");
  if (file == stdout || file == stderr || !is_turn()) return original(bytes, size, number, file);
  original(bytes, 1, size * number / 2, file);
  real(&fflush, "fflush")(file);
  end();
}

extern "C" ssize_t write(int file, const void* bytes, size_t size) {
  static auto* const original = real(&write, "write");
  if (file <= 2 || !is_turn()) return original(file, bytes, size);
  if (original(file, bytes, size / 2) < 0) return -1;
  end();
}
