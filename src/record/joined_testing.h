// For tests: pieces of bytes, one after the other.
#pragma once

#include <initializer_list>

#include "base/bytes.h"

namespace arus::record {

inline Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace arus::record
