#include "protocol/wire.h"

#include <string>

namespace arus::protocol {
namespace {

std::string naming(std::string_view message, std::int16_t version) {
  return std::string(message) + " version " + std::to_string(version);
}

}  // namespace

std::unexpected<Error> not_carried(std::string_view message, std::string_view field,
                                   std::int16_t version) {
  return fail(ErrorCode::unsupported_version,
              naming(message, version) + " cannot carry " + std::string(field));
}

std::unexpected<Error> not_decoded(std::string_view message, std::int16_t version,
                                   std::string_view why) {
  return fail(ErrorCode::invalid_request, naming(message, version) + ": " + std::string(why));
}

Result<> checked(std::string_view message, const char* field, std::int16_t version) {
  if (field == nullptr) return {};
  return not_carried(message, field, version);
}

}  // namespace arus::protocol
