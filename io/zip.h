// Zip archives whose entries are stored, not compressed, as PyTorch writes them: the entries are
// views of the archive. APPNOTE 6.3, with zip64.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace gradus {

// Every file of the archive by its name; the views live as long as `archive`. An Error names
// `origin` and the entry: not a zip archive, cut off, an entry outside the archive or over another,
// compressed or encrypted, a name twice, bytes that do not have their CRC-32.
std::map<std::string, std::string_view> read_stored_zip(std::string_view archive,
                                                        const std::string& origin);

}  // namespace gradus
