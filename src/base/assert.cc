#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

#include "base/log.h"

namespace arus {

void assertion_failed(const char* condition, const char* file, int line, const char* function) {
  std::fprintf(stderr, "arus: broken invariant: %s\n  in %s at %s:%d\n", condition, function, file,
               line);
  flush_log();
  std::fflush(nullptr);
  std::abort();
}

}  // namespace arus
