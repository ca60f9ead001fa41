// Before any library begins. OpenBLAS allocates a buffer a thread when it is loaded, and where it
// gets none (ulimit -v) it asks again, for ever: so the question is asked first. Only system calls
// may be made here.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <string_view>

namespace {

void ask_for_memory(int, char**, char**) {
  constexpr size_t buffer = size_t{96} << 20;
  const long processors = ::sysconf(_SC_NPROCESSORS_ONLN);
  const size_t size = buffer * static_cast<size_t>(processors > 0 ? processors + 1 : 2);
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory != MAP_FAILED) {
    ::munmap(memory, size);
    return;
  }
  constexpr std::string_view text =
      "gradus: there is not enough memory to begin with; the process may take too little (ulimit "
      "-v): OpenBLAS alone needs about 100 MB a processor\n";
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) ::_exit(1);
  ::_exit(1);
}

[[gnu::used, gnu::section(".preinit_array")]] void (*const first)(int, char**,
                                                                  char**) = ask_for_memory;

}  // namespace
