#include "cli/own.h"
namespace arus::cli {
int run_own(Console& console, const Arguments&) { console.err("?\n"); return 1; }
}
