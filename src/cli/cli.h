// The command line: everything that `arus` does but serving.
#pragma once

#include <string>
#include <vector>

namespace arus::cli {

// The arguments after a command's name.
using Arguments = std::vector<std::string>;

// What the command line cannot do by itself, because the server lies in layers that it does not
// know: main supplies it. `serve` runs the broker in the foreground until it is told to stop and
// gives the exit status; it takes the arguments of `arus serve` (a properties file, --data,
// --listen, --override, …), --help among them.
struct Supplied {
  int (*serve)(const Arguments& arguments) = nullptr;
};

// Runs the command that the arguments name and gives the exit status of the process.
int run(int argc, char** argv, const Supplied& supplied);

}  // namespace arus::cli
