#include "cli/completion.h"

#include <fmt/core.h>

#include "base/joined.h"

namespace arus::cli {
namespace {

// Walks the words that are there already down the tree, then offers what may follow. File names
// come where nothing else matches.
std::string bash_script(const std::vector<CommandWords>& commands) {
  std::string walk;
  std::string offers;
  for (const auto& command : commands) {
    if (!command.path.empty())
      walk += fmt::format("      '{}') path='{}' ;;\n", command.path, command.path);
    offers += fmt::format("    '{}') words='{}' ;;\n", command.path, joined(command.words, " "));
  }
  return "_arus() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} path= words= word\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case \"${path:+$path }$word\" in\n" +
         walk +
         "    esac\n"
         "  done\n"
         "  case \"$path\" in\n" +
         offers +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -o default -F _arus arus\n";
}

std::string fish_script(const std::vector<CommandWords>& commands) {
  std::string script =
      "function __arus_at\n"
      "  set -l words (commandline -opc)[2..-1]\n"
      "  set -l path (string match -v -- '-*' $words | string join ' ')\n"
      "  test \"$path\" = \"$argv[1]\"\n"
      "end\n";
  for (const auto& command : commands) {
    for (const auto& word : command.words) {
      const bool is_option = word.starts_with("--");
      script += fmt::format("complete -c arus -n '__arus_at \"{}\"' {} {}\n", command.path,
                            is_option ? "-l" : "-f -a", is_option ? word.substr(2) : word);
    }
  }
  return script;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell,
                                             const std::vector<CommandWords>& commands) {
  if (shell == "bash") return bash_script(commands);
  if (shell == "zsh") {
    return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script(commands);
  }
  if (shell == "fish") return fish_script(commands);
  return std::nullopt;
}

}  // namespace arus::cli
