// 16-byte identifiers, written as Kafka writes them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace arus {

// Text form: URL-safe base64 without padding, 22 characters (KIP-516).
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] static constexpr Uuid of_halves(std::uint64_t high, std::uint64_t low) {
    Uuid id;
    for (int i = 0; i < 8; ++i) {
      id.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
      id.bytes[static_cast<std::size_t>(8 + i)] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
    }
    return id;
  }
  // Nothing for text that is not 16 bytes of base64.
  [[nodiscard]] static std::optional<Uuid> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] constexpr bool is_zero() const { return *this == Uuid{}; }
  // Kafka keeps 0 to 99 for itself; 0, 1 and 2 are the special directory ids below.
  [[nodiscard]] bool is_reserved() const;

  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;
};

inline constexpr Uuid zero_uuid{};
inline constexpr Uuid metadata_topic_id = Uuid::of_halves(0, 1);
inline constexpr Uuid directory_migrating = Uuid::of_halves(0, 0);
inline constexpr Uuid directory_unassigned = Uuid::of_halves(0, 1);
inline constexpr Uuid directory_lost = Uuid::of_halves(0, 2);

}  // namespace arus

template <>
struct std::hash<arus::Uuid> {
  std::size_t operator()(const arus::Uuid& id) const {
    std::uint64_t halves[2];
    std::memcpy(halves, id.bytes.data(), sizeof halves);
    return static_cast<std::size_t>(halves[0] ^ (halves[1] * 0x9e3779b97f4a7c15ULL));
  }
};
