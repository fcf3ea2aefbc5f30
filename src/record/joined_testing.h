// For tests: bytes made of others.
#pragma once

#include <initializer_list>

#include "base/bytes.h"
#include "record/compression.h"

namespace arus::record {

inline Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline Bytes encoded(Compression compression, ByteView plain) {
  CodecScratch scratch;
  Bytes out;
  Compressor compressor{scratch, compression, out};
  compressor.write(plain);
  compressor.finish();
  return out;
}

}  // namespace arus::record
