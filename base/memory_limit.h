// How much memory the process may take. Where there is less than the work needs, an allocation that
// fails is an error with a line; a system that has none left kills.
#pragma once

#include <cstdint>
#include <string>

namespace gradus {

// "4G", "512M", or bytes; an Error that names the option otherwise.
uint64_t parse_bytes(const std::string& option, const std::string& text);

// From now on the process gets no more than that (RLIMIT_DATA: what it allocates; mapped files do
// not count).
void limit_memory(uint64_t bytes);

// The same of an option that says "4G". An Error where less than 16 MiB would be left: what is made
// to be told of the next failure must not fail itself.
void limit_memory(const std::string& option, const std::string& text);

// For programs: the limit of the control group that the process runs in (a container), where there
// is one, so that it ends with a line and not by a kill.
void respect_container_memory();

// Whether so much more could be had.
bool could_allocate(uint64_t bytes);

}  // namespace gradus
