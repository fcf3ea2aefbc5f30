#include "base/crc32c.h"

#include <array>
#include <bit>
#include <cstddef>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

namespace arus {
namespace {

// The polynomial with its bits reversed, as the checksum is computed: bit 31 stands for x^0.
constexpr std::uint32_t polynomial = 0x82f63b78U;

constexpr std::uint32_t times_x(std::uint32_t value) {
  return (value >> 1) ^ ((value & 1U) != 0 ? polynomial : 0U);
}

constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (int bit = 31; bit >= 0; --bit) {
    if (((a >> bit) & 1U) != 0) product ^= b;
    b = times_x(b);
  }
  return product;
}

constexpr std::uint32_t x_to_the(std::size_t exponent) {
  std::uint32_t result = 0x80000000U;
  std::uint32_t square = 0x40000000U;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1U) != 0) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = times_x(value);
    tables[0][byte] = value;
  }
  for (std::size_t slice = 1; slice < 8; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xffU];
    }
  }
  return tables;
}

constexpr Tables tables = make_tables();

std::uint64_t load_little(const std::uint8_t* from) {
  std::uint64_t value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  return value;
}

std::uint32_t compute_with_tables(ByteView bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    const std::uint64_t word = load_little(at) ^ crc;
    crc = 0;
    for (std::size_t slice = 0; slice < 8; ++slice) {
      crc ^= tables[7 - slice][(word >> (8 * slice)) & 0xffU];
    }
  }
  for (; left != 0; --left, ++at) crc = (crc >> 8) ^ tables[0][(crc ^ *at) & 0xffU];
  return ~crc;
}

#if defined(__x86_64__)

// The instruction takes 8 bytes per cycle but answers after three, so three runs of bytes are
// summed side by side. A sum is moved past the n bytes behind it by multiplying with x^(8n); the
// carry-less product of two reversed values is short of x^33, which the instruction supplies when
// it reduces the product.
consteval std::uint32_t shift_factor(std::size_t bytes) { return x_to_the(8 * bytes - 33); }

template <std::size_t Lane>
__attribute__((target("sse4.2,pclmul"))) inline std::uint64_t sum_lanes(std::uint64_t crc,
                                                                        const std::uint8_t* at) {
  static_assert(Lane % 8 == 0 && Lane >= 16);
  constexpr std::uint32_t past_two = shift_factor(2 * Lane);
  constexpr std::uint32_t past_one = shift_factor(Lane);
  std::uint64_t second = 0;
  std::uint64_t third = 0;
  for (std::size_t i = 0; i < Lane - 8; i += 8) {
    crc = _mm_crc32_u64(crc, load_little(at + i));
    second = _mm_crc32_u64(second, load_little(at + Lane + i));
    third = _mm_crc32_u64(third, load_little(at + 2 * Lane + i));
  }
  crc = _mm_crc32_u64(crc, load_little(at + Lane - 8));
  second = _mm_crc32_u64(second, load_little(at + 2 * Lane - 8));
  const auto product = [](std::uint64_t a,
                          std::uint32_t b) __attribute__((target("sse4.2,pclmul"))) {
    const __m128i wide = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(a)),
                                              _mm_cvtsi32_si128(static_cast<int>(b)), 0);
    return static_cast<std::uint64_t>(_mm_cvtsi128_si64(wide));
  };
  // Both products join the last word of the third run before it is taken in.
  const std::uint64_t last =
      load_little(at + 3 * Lane - 8) ^ product(crc, past_two) ^ product(second, past_one);
  return _mm_crc32_u64(third, last);
}

__attribute__((target("sse4.2,pclmul"))) std::uint32_t compute_with_sse(ByteView bytes,
                                                                        std::uint32_t seed) {
  constexpr std::size_t long_lane = 2048;
  constexpr std::size_t short_lane = 128;
  std::uint64_t crc = static_cast<std::uint32_t>(~seed);
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3 * long_lane; left -= 3 * long_lane, at += 3 * long_lane) {
    crc = sum_lanes<long_lane>(crc, at);
  }
  for (; left >= 3 * short_lane; left -= 3 * short_lane, at += 3 * short_lane) {
    crc = sum_lanes<short_lane>(crc, at);
  }
  for (; left >= 8; left -= 8, at += 8) crc = _mm_crc32_u64(crc, load_little(at));
  auto narrow = static_cast<std::uint32_t>(crc);
  for (; left != 0; --left, ++at) narrow = _mm_crc32_u8(narrow, *at);
  return ~narrow;
}

bool has_sse() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("pclmul") != 0;
}

#elif defined(__aarch64__)

__attribute__((target("crc"))) std::uint32_t compute_with_armv8(ByteView bytes,
                                                                std::uint32_t seed) {
  constexpr std::size_t lane = 2048;
  constexpr std::uint32_t past_one = x_to_the(8 * lane);
  constexpr std::uint32_t past_two = x_to_the(16 * lane);
  std::uint32_t crc = ~seed;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3 * lane; left -= 3 * lane, at += 3 * lane) {
    std::uint32_t second = 0;
    std::uint32_t third = 0;
    for (std::size_t i = 0; i < lane; i += 8) {
      crc = __crc32cd(crc, load_little(at + i));
      second = __crc32cd(second, load_little(at + lane + i));
      third = __crc32cd(third, load_little(at + 2 * lane + i));
    }
    crc = multiply(crc, past_two) ^ multiply(second, past_one) ^ third;
  }
  for (; left >= 8; left -= 8, at += 8) crc = __crc32cd(crc, load_little(at));
  for (; left != 0; --left, ++at) crc = __crc32cb(crc, *at);
  return ~crc;
}

bool has_armv8_crc() {
  constexpr unsigned long crc32_capability = 1UL << 7;  // HWCAP_CRC32
  return (getauxval(AT_HWCAP) & crc32_capability) != 0;
}

#endif

// The fastest first.
const auto& methods() {
  static const std::array methods{
#if defined(__x86_64__)
      Crc32cMethod{"sse4.2+pclmul", has_sse(), compute_with_sse},
#elif defined(__aarch64__)
      Crc32cMethod{"armv8", has_armv8_crc(), compute_with_armv8},
#endif
      Crc32cMethod{"table", true, compute_with_tables},
  };
  return methods;
}

const Crc32cMethod& chosen() {
  static const Crc32cMethod method = [] {
    for (const auto& candidate : methods()) {
      if (candidate.available) return candidate;
    }
    return methods().back();
  }();
  return method;
}

}  // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t seed) { return chosen().compute(bytes, seed); }

std::span<const Crc32cMethod> crc32c_methods() { return methods(); }

std::string_view crc32c_method_name() { return chosen().name; }

}  // namespace arus
