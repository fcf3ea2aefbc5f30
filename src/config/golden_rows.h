// Reads tables of facts below tests/golden/config/ for tests.
#pragma once

#include <fstream>
#include <string>
#include <vector>

namespace arus::config {

using Row = std::vector<std::string>;

// The lines of a file of tab-separated fields, without the comment at its head.
inline std::vector<Row> golden_rows(const std::string& name) {
  std::ifstream file(std::string(ARUS_SOURCE_DIR) + "/tests/golden/config/" + name);
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    Row row;
    std::size_t from = 0;
    for (std::size_t tab = 0; tab != std::string::npos; from = tab + 1) {
      tab = line.find('\t', from);
      row.push_back(line.substr(from, tab == std::string::npos ? tab : tab - from));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace arus::config
