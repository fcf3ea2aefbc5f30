// The log directory in tests/golden/broker, which Kafka wrote, for tests.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace arus::storage {

inline std::string golden_path(std::string_view name) {
  return std::string(ARUS_SOURCE_DIR) + "/tests/golden/broker/" + std::string(name);
}

inline Bytes read_test_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("no file " + path);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

inline void write_test_file(const std::string& path, ByteView bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << as_text(bytes);
  if (!file) throw std::runtime_error("cannot write " + path);
}

// All values of "hex" in a JSON file or one of lines, decoded and joined: the bytes of the file
// that it stands for. `pieces` is given each line's alone.
inline Bytes join_hex(const std::string& path, std::vector<Bytes>* pieces = nullptr) {
  const Bytes json = read_test_file(path);
  std::string_view text = as_text(json);
  constexpr std::string_view key = "\"hex\":\"";
  Bytes all;
  for (std::size_t at = text.find(key); at != std::string_view::npos; at = text.find(key)) {
    text.remove_prefix(at + key.size());
    const std::string hex(text.substr(0, text.find('"')));
    Bytes piece;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      piece.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    all.insert(all.end(), piece.begin(), piece.end());
    if (pieces != nullptr) pieces->push_back(std::move(piece));
  }
  return all;
}

// Writes the directory as Kafka left it; the metadata log's own files are left out, but its log.
inline void restore_golden_directory(const std::string& to) {
  namespace fs = std::filesystem;
  const fs::path top = golden_path("");
  for (const auto& entry : fs::recursive_directory_iterator(top)) {
    const fs::path target = fs::path(to) / fs::relative(entry.path(), top);
    std::string name = target.string();
    if (entry.is_directory()) {
      fs::create_directories(target);
    } else if (name.find(".checkpoint.jsonl") != std::string::npos) {
      continue;
    } else if (name.ends_with(".jsonl") || name.ends_with(".json")) {
      fs::create_directories(target.parent_path());
      write_test_file(name.substr(0, name.rfind('.')), join_hex(entry.path()));
    } else if (target.filename().string().rfind("FILES-", 0) != 0) {
      fs::create_directories(target.parent_path());
      write_test_file(name, read_test_file(entry.path()));
    }
  }
  // Empty files are only in the list.
  std::ifstream list(golden_path("FILES-stopped.txt"));
  std::size_t size = 0;
  std::string name;
  while (list >> size >> name) {
    if (size > 0 || name.find("-delete/") != std::string::npos) continue;
    fs::create_directories((fs::path(to) / name).parent_path());
    write_test_file((fs::path(to) / name).string(), {});
  }
}

}  // namespace arus::storage
