#include "simulation/damage.h"

#include <algorithm>
#include <vector>

namespace arus::simulation {
namespace {

std::vector<std::string> names_in(env::SimulatedDisk& disk, const std::string& directory,
                                  bool directories) {
  std::vector<std::string> names;
  const auto entries = disk.list(directory);
  if (!entries) return names;
  for (const auto& entry : *entries) {
    if (entry.is_directory == directories) names.push_back(entry.name);
  }
  return names;
}

std::optional<FlippedBit> draw_bit(env::SimulatedDisk& disk, const std::string& path,
                                   env::SimulatedRandom& random) {
  const auto size = disk.file_size(path);
  if (!size || *size == 0) return std::nullopt;
  return FlippedBit{
      .path = path,
      .offset = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(*size))),
      .mask = static_cast<std::uint8_t>(1U << random.below(8))};
}

// Text without a checksum: a digit that becomes another one cannot be told from the truth.
constexpr std::uint8_t digit_to_letter = 0x40;

}  // namespace

void flip(env::SimulatedDisk& disk, const FlippedBit& bit) {
  auto file = disk.open(bit.path, env::OpenMode::read_write);
  if (!file) return;  // it is gone, and the damage with it
  Bytes byte(1);
  if ((*file)->read_at(byte, bit.offset).value_or(0) != 1) return;
  byte.front() ^= bit.mask;
  static_cast<void>((*file)->write_at(byte, bit.offset).value());
  static_cast<void>((*file)->sync().value());
}

std::optional<FlippedBit> draw_segment_bit(Node& node, Model& model, env::SimulatedRandom& random) {
  std::vector<std::pair<std::size_t, std::string>> sealed;
  for (std::size_t i = 0; i < model.track_count(); ++i) {
    const Track& track = model.track(i);
    if (track.gone || track.kind == TopicKind::compacted || track.kind == TopicKind::retained ||
        track.kind == TopicKind::internal) {
      continue;
    }
    for (const auto& directory : node.directories()) {
      const std::string folder = directory + "/" + track.name();
      auto names = names_in(node.disk(), folder, false);
      std::erase_if(names, [](const std::string& name) { return !name.ends_with(".log"); });
      if (names.empty()) continue;
      names.pop_back();
      for (const auto& name : names) sealed.emplace_back(i, folder + "/" + name);
    }
  }
  if (sealed.empty()) return std::nullopt;
  const auto& [track, path] = sealed[random.below(sealed.size())];
  auto bit = draw_bit(node.disk(), path, random);
  if (bit) bit->track = track;
  return bit;
}

std::optional<FlippedBit> draw_derived_bit(Node& node, env::SimulatedRandom& random) {
  std::vector<std::string> paths;
  for (const auto& directory : node.directories()) {
    for (const auto& name : names_in(node.disk(), directory, false)) {
      if (name.ends_with("-checkpoint")) paths.push_back(directory + "/" + name);
    }
    for (const auto& folder : names_in(node.disk(), directory, true)) {
      if (folder.starts_with("__cluster_metadata")) continue;
      for (const auto& name : names_in(node.disk(), directory + "/" + folder, false)) {
        // A transaction index has no checksum, and only its log could tell: it is left out.
        const bool derived = name.ends_with(".index") || name.ends_with(".timeindex") ||
                             name.ends_with(".snapshot") || name == "leader-epoch-checkpoint";
        if (derived) paths.push_back(directory + "/" + folder + "/" + name);
      }
    }
  }
  if (paths.empty()) return std::nullopt;
  const std::string& path = paths[random.below(paths.size())];
  auto bit = draw_bit(node.disk(), path, random);
  if (bit && path.ends_with("-checkpoint")) bit->mask = digit_to_letter;
  return bit;
}

}  // namespace arus::simulation
