// Keys of SCRAM (RFC 5802) from passwords.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace arus::security {

// The numbers are those of the wire and of the metadata log.
enum class ScramMechanism : std::int8_t { unknown = 0, sha_256 = 1, sha_512 = 2 };

[[nodiscard]] ScramMechanism scram_mechanism_of(std::int8_t number);
// "SCRAM-SHA-256".
[[nodiscard]] ScramMechanism parse_scram_mechanism(std::string_view text);

inline constexpr std::int32_t min_scram_iterations = 4096;
inline constexpr std::int32_t max_scram_iterations = 16384;

struct ScramKeys {
  Bytes stored_key;
  Bytes server_key;
};

// The mechanism must be known. `iterations` rounds of hashing: not for a loop.
[[nodiscard]] Bytes salt_password(ScramMechanism mechanism, std::string_view password,
                                  ByteView salt, std::int32_t iterations);
[[nodiscard]] ScramKeys derive_scram_keys(ScramMechanism mechanism, ByteView salted_password);

}  // namespace arus::security
