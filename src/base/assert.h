// Broken invariants stop the process, in every build.
#pragma once

namespace arus {

// Prints where and what to standard error, flushes the log and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line,
                                   const char* function);

}  // namespace arus

#define ARUS_ASSERT(condition)                       \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::arus::assertion_failed(#condition, __FILE__, __LINE__, __func__))
