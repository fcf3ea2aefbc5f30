#include "coordinator/group/metadata_hash.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/endian.h"
#include "base/xxh3.h"

namespace arus::coordinator {
namespace {

// Which way the hash of a topic is made; stored hashes of another way differ.
constexpr std::uint8_t hash_version = 0;

// Java's char sequence of UTF-8 text. Bytes that are no UTF-8 become U+FFFD, one each.
std::u16string utf16(std::string_view text) {
  std::u16string units;
  units.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead >= 0x80 && (lead < 0xC2 || i + length > text.size())) {
      units.push_back(u'\uFFFD');
      ++i;
      continue;
    }
    std::uint32_t point = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      point = (point << 6) | (static_cast<std::uint8_t>(text[i + k]) & 0x3FU);
    }
    if (point >= 0x10000) {
      units.push_back(static_cast<char16_t>(0xD800 + ((point - 0x10000) >> 10)));
      units.push_back(static_cast<char16_t>(0xDC00 + ((point - 0x10000) & 0x3FF)));
    } else {
      units.push_back(static_cast<char16_t>(point));
    }
    i += length;
  }
  return units;
}

// Numbers are little-endian here, other than everywhere else in Kafka.
class HashInput {
 public:
  void u8(std::uint8_t value) { bytes_.push_back(value); }
  void i32(std::int32_t value) { little(static_cast<std::uint32_t>(value)); }
  void u64(std::uint64_t value) { little(value); }
  void text(const std::u16string& units) {
    for (const char16_t unit : units) little(static_cast<std::uint16_t>(unit));
    i32(static_cast<std::int32_t>(units.size()));
  }
  [[nodiscard]] std::uint64_t hash() const { return xxh3_64(bytes_); }

 private:
  template <class T>
  void little(T value) {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
  }
  Bytes bytes_;
};

}  // namespace

std::uint64_t topic_hash(std::string_view name, const metadata::MetadataImage& image) {
  const auto topic = image.topic(name);
  if (topic == nullptr) return 0;
  HashInput input;
  input.u8(hash_version);
  input.u64(load_big<std::uint64_t>(topic->id.bytes.data()));
  input.u64(load_big<std::uint64_t>(topic->id.bytes.data() + 8));
  input.text(utf16(topic->name));
  input.i32(static_cast<std::int32_t>(topic->partitions.size()));
  std::map<BrokerId, std::optional<std::u16string>> racks;
  std::vector<std::u16string> of_partition;
  for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
    input.i32(static_cast<std::int32_t>(i));
    of_partition.clear();
    for (const BrokerId replica : topic->partitions[i]->replicas) {
      const auto [rack, is_new] = racks.try_emplace(replica);
      if (is_new) {
        const auto broker = image.broker(replica);
        if (broker != nullptr && broker->rack) rack->second = utf16(*broker->rack);
      }
      if (rack->second) of_partition.push_back(*rack->second);
    }
    std::ranges::sort(of_partition);
    for (const auto& rack : of_partition) {
      // The length stands before and, with the text, behind it.
      input.i32(static_cast<std::int32_t>(rack.size()));
      input.text(rack);
    }
  }
  return input.hash();
}

std::int64_t metadata_hash(const std::vector<std::string_view>& topics,
                           const metadata::MetadataImage& image, TopicHashes& cache) {
  std::vector<std::pair<std::u16string, std::uint64_t>> hashes;
  for (const auto name : topics) {
    auto known = cache.find(name);
    if (known == cache.end()) {
      if (image.topic(name) == nullptr) continue;
      known = cache.emplace(std::string(name), topic_hash(name, image)).first;
    }
    hashes.emplace_back(utf16(name), known->second);
  }
  if (hashes.empty()) return 0;
  std::ranges::sort(hashes);
  HashInput input;
  for (const auto& [name, hash] : hashes) input.u64(hash);
  return static_cast<std::int64_t>(input.hash());
}

}  // namespace arus::coordinator
