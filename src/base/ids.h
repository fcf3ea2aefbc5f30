// Distinct types for the numbers that must never be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace arus {

// A number that names something. Ids compare and hash; they have no arithmetic.
template <class Tag, class Rep>
class Id {
 public:
  using rep = Rep;
  constexpr Id() = default;
  constexpr explicit Id(Rep value) : value_(value) {}
  [[nodiscard]] constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  Rep value_{};
};

using BrokerId = Id<struct BrokerIdTag, std::int32_t>;
using ProducerId = Id<struct ProducerIdTag, std::int64_t>;
using LeaderEpoch = Id<struct LeaderEpochTag, std::int32_t>;

inline constexpr BrokerId no_broker{-1};
inline constexpr ProducerId no_producer{-1};
inline constexpr LeaderEpoch no_leader_epoch{-1};

// A position in a log, counted in records. The difference of two offsets is a plain count.
class Offset {
 public:
  using rep = std::int64_t;
  constexpr Offset() = default;
  constexpr explicit Offset(std::int64_t value) : value_(value) {}
  [[nodiscard]] constexpr std::int64_t value() const { return value_; }
  friend constexpr auto operator<=>(Offset, Offset) = default;
  friend constexpr Offset operator+(Offset a, std::int64_t n) { return Offset{a.value_ + n}; }
  friend constexpr Offset operator-(Offset a, std::int64_t n) { return Offset{a.value_ - n}; }
  friend constexpr std::int64_t operator-(Offset a, Offset b) { return a.value_ - b.value_; }
  constexpr Offset& operator+=(std::int64_t n) {
    value_ += n;
    return *this;
  }

 private:
  std::int64_t value_ = 0;
};

inline constexpr Offset no_offset{-1};

}  // namespace arus

template <class Tag, class Rep>
struct std::hash<arus::Id<Tag, Rep>> {
  std::size_t operator()(arus::Id<Tag, Rep> id) const { return std::hash<Rep>{}(id.value()); }
};
template <>
struct std::hash<arus::Offset> {
  std::size_t operator()(arus::Offset offset) const {
    return std::hash<std::int64_t>{}(offset.value());
  }
};
