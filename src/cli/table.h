// Text in columns, for people.
#pragma once

#include <string>
#include <vector>

namespace arus::cli {

// Each column as wide as its widest value, two blanks between them, no blanks at line ends. Columns
// whose values are all numbers (or "-", which is none) stand to the right.
std::string aligned_table(const std::vector<std::string>& headers,
                          const std::vector<std::vector<std::string>>& rows);

}  // namespace arus::cli
