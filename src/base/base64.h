// Base64 (RFC 4648), both alphabets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace arus {

std::string encode_base64(ByteView bytes);      // '+' and '/', padded
std::string encode_base64_url(ByteView bytes);  // '-' and '_', not padded
// Takes either alphabet, with or without padding; nothing for anything else.
std::optional<Bytes> decode_base64(std::string_view text);

}  // namespace arus
