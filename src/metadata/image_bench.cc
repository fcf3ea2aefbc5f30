// The next image of a cluster with 100,000 partitions in 1,000 topics. An iteration is a batch of
// the metadata log: its records applied, the image finished, the delta taken, and, as it is with
// each new image, the one before let go.
#include "base/bench.h"
#include "metadata/image_builder.h"

namespace arus::metadata {
namespace {

constexpr int topics = 1'000;
constexpr int partitions_of_topic = 100;

Uuid topic_id(int topic) { return Uuid::of_halves(0x9e3779b97f4a7c15ULL * (topic + 1U), 7); }

void add_topic(ImageBuilder& builder, int topic, int partitions) {
  protocol::TopicRecord record;
  record.name = "topic-" + std::to_string(topic);
  record.topic_id = topic_id(topic);
  ARUS_ASSERT(builder.apply(record));
  for (int i = 0; i < partitions; ++i) {
    protocol::PartitionRecord partition;
    partition.topic_id = record.topic_id;
    partition.partition_id = i;
    partition.replicas = {BrokerId{1}};
    partition.isr = {BrokerId{1}};
    partition.leader = BrokerId{1};
    partition.leader_epoch = 0;
    partition.partition_epoch = 0;
    ARUS_ASSERT(builder.apply(partition));
  }
}

ImagePointer finish(ImageBuilder& builder, std::int64_t offset) {
  auto image = builder.finish(Offset{offset}, LeaderEpoch{1});
  ARUS_ASSERT(image);
  benchmark::DoNotOptimize(builder.take_delta());
  return std::move(*image);
}

ImagePointer large_image() {
  ImageBuilder builder(nullptr);
  for (int topic = 0; topic < topics; ++topic) add_topic(builder, topic, partitions_of_topic);
  return finish(builder, 0);
}

// So many partitions, each of another topic, get another leader epoch.
void change_partitions_of_100_000(benchmark::State& state) {
  ImagePointer image = large_image();
  std::int64_t offset = 0;
  std::int32_t epoch = 0;
  int topic = 0;
  for (auto _ : state) {
    ImageBuilder builder(image);
    for (int i = 0; i < state.range(0); ++i) {
      protocol::PartitionChangeRecord change;
      change.topic_id = topic_id(topic = (topic + 37) % topics);
      change.partition_id = 50;
      change.leader = BrokerId{1};
      ARUS_ASSERT(builder.apply(change));
    }
    image = finish(builder, ++offset);
    ++epoch;
  }
  state.SetItemsProcessed(epoch * state.range(0));
}
BENCHMARK(change_partitions_of_100_000)->Apply(counted)->Arg(1)->Arg(100);

// One more topic of ten partitions; what is made stays.
void add_a_topic_to_100_000(benchmark::State& state) {
  ImagePointer image = large_image();
  int topic = topics;
  for (auto _ : state) {
    ImageBuilder builder(image);
    add_topic(builder, topic, 10);
    image = finish(builder, ++topic);
  }
}
BENCHMARK(add_a_topic_to_100_000)->Apply(counted);

// All of them from nothing, as a start does.
void make_10_000_partitions(benchmark::State& state) {
  for (auto _ : state) {
    ImageBuilder builder(nullptr);
    for (int topic = 0; topic < 100; ++topic) add_topic(builder, topic, 100);
    benchmark::DoNotOptimize(finish(builder, 0));
  }
  state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(make_10_000_partitions)->Apply(counted);

}  // namespace
}  // namespace arus::metadata
