// The file meta.properties: which cluster, node and directory this is; docs/formats.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/directory_identity.h"

namespace arus::storage {

// The text of version 1, as Java's Properties write it, with the date line in UTC.
[[nodiscard]] std::string encode_meta_properties(const DirectoryIdentity& identity,
                                                 std::int64_t now_ms);
// Errors with one sentence where the text is not version 1 or lacks a key. Unknown keys are left.
[[nodiscard]] Result<DirectoryIdentity> parse_meta_properties(std::string_view text);

}  // namespace arus::storage
