// One number for what a group sees of the topics that it reads.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "metadata/image.h"

namespace arus::coordinator {

// Of id, name, partitions and the racks of their replicas, as Kafka 4.1 and later compute it; 0
// for a topic that is not there.
[[nodiscard]] std::uint64_t topic_hash(std::string_view name, const metadata::MetadataImage& image);

// What ConsumerGroupMetadata stores: of those topics that are there, in the order in which Java
// sorts their names; 0 for none. `cache` keeps hashes of topics, and is cleared by whoever owns it
// when they change.
using TopicHashes = std::map<std::string, std::uint64_t, std::less<>>;
[[nodiscard]] std::int64_t metadata_hash(const std::vector<std::string_view>& topics,
                                         const metadata::MetadataImage& image, TopicHashes& cache);

}  // namespace arus::coordinator
