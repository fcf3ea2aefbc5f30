#include "base/xxh3.h"

#include <array>
#include <bit>
#include <cstddef>

namespace arus {
namespace {

static_assert(std::endian::native == std::endian::little);

// Constants of the algorithm as published.
constexpr std::uint32_t prime32_1 = 0x9E3779B1U;
constexpr std::uint32_t prime32_2 = 0x85EBCA77U;
constexpr std::uint32_t prime32_3 = 0xC2B2AE3DU;
constexpr std::uint64_t prime64_1 = 0x9E3779B185EBCA87ULL;
constexpr std::uint64_t prime64_2 = 0xC2B2AE3D27D4EB4FULL;
constexpr std::uint64_t prime64_3 = 0x165667B19E3779F9ULL;
constexpr std::uint64_t prime64_4 = 0x85EBCA77C2B2AE63ULL;
constexpr std::uint64_t prime64_5 = 0x27D4EB2F165667C5ULL;
constexpr std::uint64_t mix_1 = 0x165667919E3779F9ULL;
constexpr std::uint64_t mix_2 = 0x9FB21C651E98DF25ULL;

constexpr std::size_t secret_bytes = 192;
constexpr std::array<std::uint8_t, secret_bytes> secret = {
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
    0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
    0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
    0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
    0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
    0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
    0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
    0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
    0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
};

std::uint32_t read32(const std::uint8_t* at) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}
std::uint64_t read64(const std::uint8_t* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t avalanche64(std::uint64_t hash) {
  hash ^= hash >> 33;
  hash *= prime64_2;
  hash ^= hash >> 29;
  hash *= prime64_3;
  return hash ^ (hash >> 32);
}

std::uint64_t avalanche(std::uint64_t hash) {
  hash ^= hash >> 37;
  hash *= mix_1;
  return hash ^ (hash >> 32);
}

std::uint64_t hash_to_16(const std::uint8_t* in, std::size_t size) {
  const std::uint8_t* const key = secret.data();
  if (size > 8) {
    const std::uint64_t low = read64(in) ^ (read64(key + 24) ^ read64(key + 32));
    const std::uint64_t high = read64(in + size - 8) ^ (read64(key + 40) ^ read64(key + 48));
    return avalanche(size + std::byteswap(low) + high + fold(low, high));
  }
  if (size >= 4) {
    const std::uint64_t joined =
        read32(in + size - 4) + (static_cast<std::uint64_t>(read32(in)) << 32);
    std::uint64_t hash = joined ^ (read64(key + 8) ^ read64(key + 16));
    hash ^= std::rotl(hash, 49) ^ std::rotl(hash, 24);
    hash *= mix_2;
    hash ^= (hash >> 35) + size;
    hash *= mix_2;
    return hash ^ (hash >> 28);
  }
  if (size > 0) {
    const std::uint32_t joined = (static_cast<std::uint32_t>(in[0]) << 16) |
                                 (static_cast<std::uint32_t>(in[size >> 1]) << 24) | in[size - 1] |
                                 (static_cast<std::uint32_t>(size) << 8);
    return avalanche64(joined ^ static_cast<std::uint64_t>(read32(key) ^ read32(key + 4)));
  }
  return avalanche64(read64(key + 56) ^ read64(key + 64));
}

std::uint64_t mix16(const std::uint8_t* in, const std::uint8_t* key) {
  return fold(read64(in) ^ read64(key), read64(in + 8) ^ read64(key + 8));
}

std::uint64_t hash_to_128(const std::uint8_t* in, std::size_t size) {
  std::uint64_t sum = size * prime64_1;
  for (std::size_t i = (size - 1) / 32 + 1; i-- > 0;) {
    sum += mix16(in + 16 * i, secret.data() + 32 * i);
    sum += mix16(in + size - 16 * (i + 1), secret.data() + 32 * i + 16);
  }
  return avalanche(sum);
}

constexpr std::size_t middle_limit = 240;
constexpr std::size_t secret_min_bytes = 136;

std::uint64_t hash_to_240(const std::uint8_t* in, std::size_t size) {
  std::uint64_t sum = size * prime64_1;
  for (std::size_t i = 0; i < 8; ++i) sum += mix16(in + 16 * i, secret.data() + 16 * i);
  sum = avalanche(sum);
  for (std::size_t i = 8; i < size / 16; ++i) {
    sum += mix16(in + 16 * i, secret.data() + 16 * (i - 8) + 3);
  }
  sum += mix16(in + size - 16, secret.data() + secret_min_bytes - 17);
  return avalanche(sum);
}

constexpr std::size_t stripe_bytes = 64;
constexpr std::size_t stripes_per_block = (secret_bytes - stripe_bytes) / 8;
using Lanes = std::array<std::uint64_t, 8>;

void accumulate(Lanes& lanes, const std::uint8_t* in, const std::uint8_t* key) {
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const std::uint64_t value = read64(in + 8 * i);
    const std::uint64_t keyed = value ^ read64(key + 8 * i);
    lanes[i ^ 1] += value;
    lanes[i] += (keyed & 0xFFFFFFFFU) * (keyed >> 32);
  }
}

void scramble(Lanes& lanes) {
  const std::uint8_t* const key = secret.data() + secret_bytes - stripe_bytes;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    lanes[i] ^= lanes[i] >> 47;
    lanes[i] ^= read64(key + 8 * i);
    lanes[i] *= prime32_1;
  }
}

std::uint64_t hash_long(const std::uint8_t* in, std::size_t size) {
  Lanes lanes = {prime32_3, prime64_1, prime64_2, prime64_3,
                 prime64_4, prime32_2, prime64_5, prime32_1};
  const std::size_t block_bytes = stripe_bytes * stripes_per_block;
  const std::size_t blocks = (size - 1) / block_bytes;
  for (std::size_t block = 0; block < blocks; ++block) {
    for (std::size_t i = 0; i < stripes_per_block; ++i) {
      accumulate(lanes, in + block * block_bytes + i * stripe_bytes, secret.data() + 8 * i);
    }
    scramble(lanes);
  }
  const std::size_t done = blocks * block_bytes;
  const std::size_t stripes = (size - 1 - done) / stripe_bytes;
  for (std::size_t i = 0; i < stripes; ++i) {
    accumulate(lanes, in + done + i * stripe_bytes, secret.data() + 8 * i);
  }
  accumulate(lanes, in + size - stripe_bytes, secret.data() + secret_bytes - stripe_bytes - 7);

  std::uint64_t hash = size * prime64_1;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint8_t* const key = secret.data() + 11 + 16 * i;
    hash += fold(lanes[2 * i] ^ read64(key), lanes[2 * i + 1] ^ read64(key + 8));
  }
  return avalanche(hash);
}

}  // namespace

std::uint64_t xxh3_64(ByteView bytes) {
  if (bytes.size() <= 16) return hash_to_16(bytes.data(), bytes.size());
  if (bytes.size() <= 128) return hash_to_128(bytes.data(), bytes.size());
  if (bytes.size() <= middle_limit) return hash_to_240(bytes.data(), bytes.size());
  return hash_long(bytes.data(), bytes.size());
}

}  // namespace arus
