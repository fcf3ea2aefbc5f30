#include "security/scram_keys.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/assert.h"

namespace arus::security {
namespace {

const EVP_MD* hash_of(ScramMechanism mechanism) {
  ARUS_ASSERT(mechanism != ScramMechanism::unknown);
  return mechanism == ScramMechanism::sha_256 ? EVP_sha256() : EVP_sha512();
}

Bytes hmac(const EVP_MD* hash, ByteView key, std::string_view text) {
  Bytes out(static_cast<std::size_t>(EVP_MD_get_size(hash)));
  unsigned int size = 0;
  const ByteView data = as_bytes(text);
  ARUS_ASSERT(HMAC(hash, key.data(), static_cast<int>(key.size()), data.data(), data.size(),
                   out.data(), &size) != nullptr);
  out.resize(size);
  return out;
}

}  // namespace

ScramMechanism scram_mechanism_of(std::int8_t number) {
  return number == 1   ? ScramMechanism::sha_256
         : number == 2 ? ScramMechanism::sha_512
                       : ScramMechanism::unknown;
}

ScramMechanism parse_scram_mechanism(std::string_view text) {
  if (text == "SCRAM-SHA-256") return ScramMechanism::sha_256;
  if (text == "SCRAM-SHA-512") return ScramMechanism::sha_512;
  return ScramMechanism::unknown;
}

Bytes salt_password(ScramMechanism mechanism, std::string_view password, ByteView salt,
                    std::int32_t iterations) {
  const EVP_MD* hash = hash_of(mechanism);
  Bytes out(static_cast<std::size_t>(EVP_MD_get_size(hash)));
  ARUS_ASSERT(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                                static_cast<int>(salt.size()), iterations, hash,
                                static_cast<int>(out.size()), out.data()) == 1);
  return out;
}

ScramKeys derive_scram_keys(ScramMechanism mechanism, ByteView salted_password) {
  const EVP_MD* hash = hash_of(mechanism);
  const Bytes client_key = hmac(hash, salted_password, "Client Key");
  ScramKeys keys;
  keys.stored_key.resize(static_cast<std::size_t>(EVP_MD_get_size(hash)));
  unsigned int size = 0;
  ARUS_ASSERT(EVP_Digest(client_key.data(), client_key.size(), keys.stored_key.data(), &size, hash,
                         nullptr) == 1);
  keys.server_key = hmac(hash, salted_password, "Server Key");
  return keys;
}

}  // namespace arus::security
