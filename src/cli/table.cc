#include "cli/table.h"

#include <fmt/core.h>

#include <algorithm>

namespace arus::cli {
namespace {

bool is_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string aligned_table(const std::vector<std::string>& headers,
                          const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  // A dash is no value.
  std::vector<bool> numbers(headers.size(), false);
  std::vector<bool> words(headers.size(), false);
  for (const auto& header : headers) widths.push_back(header.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
      if (row[i] != "-") (is_number(row[i]) ? numbers : words)[i] = true;
    }
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      line += numbers[i] && !words[i] ? fmt::format("{:>{}}", row[i], widths[i])
                                      : fmt::format("{:<{}}", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add(headers);
  for (const auto& row : rows) add(row);
  return text;
}

}  // namespace arus::cli
