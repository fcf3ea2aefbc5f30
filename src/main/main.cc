// The arus binary: the server and the command line in one.
#include "cli/cli.h"
#include "main/serve.h"

int main(int argc, char** argv) {
  return arus::cli::run(argc, argv, {.serve = arus::main_program::serve});
}
