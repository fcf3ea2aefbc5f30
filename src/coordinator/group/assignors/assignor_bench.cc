// An iteration is an assignment: 100 members, all of them subscribed to ten topics of 100
// partitions each.
#include "base/bench.h"
#include "coordinator/group/assignors/assignor.h"

namespace arus::coordinator {
namespace {

constexpr std::uint32_t topics = 10;
constexpr int members = 100;

struct Members {
  explicit Members(int count) {
    for (int i = 0; i < count; ++i) {
      names.push_back("consumer-" + std::to_string(1'000 + i) + "-0b6bb5b9-9a3e-4a4f-8f2e");
    }
    for (std::uint32_t i = 0; i < topics; ++i) {
      input.topics.push_back({Uuid::of_halves(i + 1, 7), 100});
    }
    for (const std::string& name : names) {
      AssignedMember member{.id = name, .instance_id = std::nullopt, .topics = {}};
      for (std::uint32_t i = 0; i < topics; ++i) member.topics.push_back(i);
      input.members.push_back(std::move(member));
    }
  }
  std::vector<std::string> names;
  AssignmentInput input;
};

// Nobody has anything yet.
void assign_anew(benchmark::State& state, Assignor assignor) {
  const Members all(members);
  for (auto _ : state) benchmark::DoNotOptimize(assignor(all.input));
}
BENCHMARK_CAPTURE(assign_anew, uniform, assign_uniformly)->Apply(counted);
BENCHMARK_CAPTURE(assign_anew, range, assign_ranges)->Apply(counted);

// One member has joined the others, who keep what they can.
void assign_after_a_join(benchmark::State& state, Assignor assignor) {
  const auto before = assignor(Members(members - 1).input);
  Members all(members);
  for (std::size_t i = 0; i < before.size(); ++i) all.input.members[i].previous = &before[i];
  for (auto _ : state) benchmark::DoNotOptimize(assignor(all.input));
}
BENCHMARK_CAPTURE(assign_after_a_join, uniform, assign_uniformly)->Apply(counted);
BENCHMARK_CAPTURE(assign_after_a_join, range, assign_ranges)->Apply(counted);

}  // namespace
}  // namespace arus::coordinator
