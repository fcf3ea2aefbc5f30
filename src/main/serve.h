// `arus serve`: the broker in the foreground.
#pragma once

#include <string>
#include <vector>

namespace arus::main_program {

// The arguments after "serve". Gives the exit status: 0 after a clean stop, 1 with one sentence on
// standard error when the broker cannot start.
int serve(const std::vector<std::string>& arguments);

}  // namespace arus::main_program
