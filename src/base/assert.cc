#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace arus {

void assertion_failed(const char* condition, const char* file, int line, const char* function) {
  std::fprintf(stderr, "arus: broken invariant: %s\n  in %s at %s:%d\n", condition, function, file,
               line);
  std::fflush(nullptr);
  std::abort();
}

}  // namespace arus
