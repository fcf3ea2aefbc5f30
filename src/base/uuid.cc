#include "base/uuid.h"

#include "base/base64.h"

namespace arus {

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 22 && text.size() != 24) return std::nullopt;
  auto decoded = decode_base64(text);
  if (!decoded || decoded->size() != 16) return std::nullopt;
  Uuid id;
  std::memcpy(id.bytes.data(), decoded->data(), 16);
  return id;
}

std::string Uuid::to_string() const { return encode_base64_url(bytes); }

bool Uuid::is_reserved() const {
  for (std::size_t i = 0; i < 15; ++i) {
    if (bytes[i] != 0) return false;
  }
  return bytes[15] < 100;
}

}  // namespace arus
