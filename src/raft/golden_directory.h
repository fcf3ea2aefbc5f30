// For tests: the log directories that Kafka wrote, out of tests/golden.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "base/bytes.h"

namespace arus::raft {

// The bytes behind each "hex":"…" of the text, joined.
inline Bytes joined_hex(const std::string& text) {
  constexpr std::string_view mark = "\"hex\":";
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Bytes bytes;
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
    at = text.find('"', at + mark.size()) + 1;
    for (; at + 1 < text.size() && text[at] != '"'; at += 2) {
      bytes.push_back(static_cast<std::uint8_t>(digit(text[at]) * 16 + digit(text[at + 1])));
    }
  }
  return bytes;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::filesystem::path golden_path(const std::string& name) {
  return std::filesystem::path(ARUS_SOURCE_DIR) / "tests/golden" / name;
}

// The file that a golden .jsonl or .json stands for.
inline Bytes golden_bytes(const std::string& name) {
  return joined_hex(read_text(golden_path(name)));
}

// Makes the directory that Kafka left behind: "broker", "standalone", "standalone-formatted".
inline void restore_golden(const std::string& name, const std::filesystem::path& target) {
  const auto source = golden_path(name);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(source)) {
    const auto relative = std::filesystem::relative(entry.path(), source);
    if (entry.is_directory()) {
      std::filesystem::create_directories(target / relative);
      continue;
    }
    std::string file = relative.string();
    if (file.starts_with("FILES-")) continue;
    std::filesystem::create_directories((target / file).parent_path());
    std::string contents = read_text(entry.path());
    for (const std::string suffix : {".jsonl", ".json"}) {
      if (!file.ends_with(suffix)) continue;
      file.resize(file.size() - suffix.size());
      contents = std::string(as_text(joined_hex(contents)));
      break;
    }
    std::ofstream(target / file, std::ios::binary) << contents;
  }
}

}  // namespace arus::raft
