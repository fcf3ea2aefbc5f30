// Shell completion made from the commands themselves.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace arus::cli {

// What may follow a command, by its path ("", "topic", "topic create").
struct CommandWords {
  std::string path;
  std::vector<std::string> words;  // commands and options
};

// The script for bash, zsh or fish; nothing for another shell.
std::optional<std::string> completion_script(std::string_view shell,
                                             const std::vector<CommandWords>& commands);

}  // namespace arus::cli
